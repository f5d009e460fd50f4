package main

import (
	"net"
	"strings"

	"k8s.io/apimachinery/pkg/runtime/schema"
	utilnet "k8s.io/apimachinery/pkg/util/net"
	"k8s.io/apiserver/pkg/registry/generic"
	"k8s.io/apiserver/pkg/registry/rest"
	"k8s.io/apiserver/pkg/server"
	"k8s.io/apiserver/pkg/server/storage"
	_ "k8s.io/kubernetes/pkg/apis/apps/install"
	_ "k8s.io/kubernetes/pkg/apis/autoscaling/install"
	_ "k8s.io/kubernetes/pkg/apis/batch/install"
	api "k8s.io/kubernetes/pkg/apis/core"
	_ "k8s.io/kubernetes/pkg/apis/core/install"
	_ "k8s.io/kubernetes/pkg/apis/networking/install"
	_ "k8s.io/kubernetes/pkg/apis/policy/install"
	_ "k8s.io/kubernetes/pkg/apis/rbac/install"
	apps "k8s.io/kubernetes/pkg/registry/apps/rest"
	autoscaling "k8s.io/kubernetes/pkg/registry/autoscaling/rest"
	batch "k8s.io/kubernetes/pkg/registry/batch/rest"
	configmap "k8s.io/kubernetes/pkg/registry/core/configmap/storage"
	namespace "k8s.io/kubernetes/pkg/registry/core/namespace/storage"
	claim "k8s.io/kubernetes/pkg/registry/core/persistentvolumeclaim/storage"
	pod "k8s.io/kubernetes/pkg/registry/core/pod/storage"
	quota "k8s.io/kubernetes/pkg/registry/core/resourcequota/storage"
	secret "k8s.io/kubernetes/pkg/registry/core/secret/storage"
	"k8s.io/kubernetes/pkg/registry/core/service/ipallocator"
	"k8s.io/kubernetes/pkg/registry/core/service/portallocator"
	service "k8s.io/kubernetes/pkg/registry/core/service/storage"
	account "k8s.io/kubernetes/pkg/registry/core/serviceaccount/storage"
	networking "k8s.io/kubernetes/pkg/registry/networking/rest"
	policy "k8s.io/kubernetes/pkg/registry/policy/rest"
	role "k8s.io/kubernetes/pkg/registry/rbac/role/storage"
	roleBinding "k8s.io/kubernetes/pkg/registry/rbac/rolebinding/storage"
)

// The defaults of kubeadm's API server.
const (
	serviceAddresses  = "10.96.0.0/12"
	serviceAddresses6 = "fd00:10:96::/112"
	serviceNodePorts  = "30000-32767"
)

// resources are what creates the objects of each kind: the API server's own stores.
type resources map[schema.GroupVersionResource]rest.Creater

type provider interface {
	NewRESTStorage(storage.APIResourceConfigSource, generic.RESTOptionsGetter) (server.APIGroupInfo, error)
	GroupName() string
}

func builtIn(store *keys) (resources, error) {
	found := resources{}
	for _, each := range []provider{
		apps.StorageProvider{},
		autoscaling.RESTStorageProvider{},
		batch.RESTStorageProvider{},
		networking.RESTStorageProvider{},
		policy.RESTStorageProvider{},
	} {
		group, err := each.NewRESTStorage(stable{}, store)
		if err != nil {
			return nil, err
		}
		for version, storages := range group.VersionedResourcesStorageMap {
			for name, storage := range storages {
				if creater, ok := storage.(rest.Creater); ok {
					found[schema.GroupVersionResource{Group: each.GroupName(), Version: version, Resource: name}] = creater
				}
			}
		}
	}
	if err := found.addRoles(store); err != nil {
		return nil, err
	}
	return found, found.addCore(store)
}

// addRoles adds what the provider of its group would ask an authorizer about: may the caller give these rights?
func (r resources) addRoles(store *keys) error {
	roles, err := role.NewREST(store)
	if err != nil {
		return err
	}
	bindings, err := roleBinding.NewREST(store)
	if err != nil {
		return err
	}
	group := schema.GroupVersion{Group: "rbac.authorization.k8s.io", Version: "v1"}
	r[group.WithResource("roles")] = roles
	r[group.WithResource("rolebindings")] = bindings
	return nil
}

// addCore adds the core group, whose provider needs a cluster.
func (r resources) addCore(store *keys) error {
	configMaps, err := configmap.NewREST(store)
	if err != nil {
		return err
	}
	secrets, err := secret.NewREST(store)
	if err != nil {
		return err
	}
	claims, _, err := claim.NewREST(store)
	if err != nil {
		return err
	}
	accounts, err := account.NewREST(store, nil, nil, 0, nil, nil, nil, false, 0)
	if err != nil {
		return err
	}
	namespaces, _, _, err := namespace.NewREST(store)
	if err != nil {
		return err
	}
	quotas, _, err := quota.NewREST(store)
	if err != nil {
		return err
	}
	pods, err := pod.NewStorage(store, nil, nil, nil)
	if err != nil {
		return err
	}
	r[core("configmaps")] = configMaps
	r[core("secrets")] = secrets
	r[core("persistentvolumeclaims")] = claims
	r[core("serviceaccounts")] = accounts
	r[core("namespaces")] = namespaces
	r[core("resourcequotas")] = quotas
	r[core("pods")] = pods.Pod
	return r.renewServices(store)
}

// renewServices forgets which addresses and node ports are taken.
func (r resources) renewServices(store *keys) error {
	families := map[api.IPFamily]ipallocator.Interface{}
	for family, cidr := range map[api.IPFamily]string{api.IPv4Protocol: serviceAddresses, api.IPv6Protocol: serviceAddresses6} {
		_, network, err := net.ParseCIDR(cidr)
		if err != nil {
			return err
		}
		if families[family], err = ipallocator.NewInMemory(network); err != nil {
			return err
		}
	}
	ports, err := portallocator.NewInMemory(*utilnet.ParsePortRangeOrDie(serviceNodePorts))
	if err != nil {
		return err
	}
	services, _, _, err := service.NewREST(store, api.IPv4Protocol, families, ports, nil, nil, nil)
	if err != nil {
		return err
	}
	r[core("services")] = services
	return nil
}

func core(name string) schema.GroupVersionResource {
	return schema.GroupVersionResource{Version: "v1", Resource: name}
}

// stable enables what the API server has without being told: no alpha and beta versions.
type stable struct{}

func (stable) ResourceEnabled(resource schema.GroupVersionResource) bool {
	return !strings.Contains(resource.Version, "alpha") && !strings.Contains(resource.Version, "beta")
}

func (stable) AnyResourceForGroupEnabled(string) bool                     { return true }
func (stable) ResourceExplicitlyEnabled(schema.GroupVersionResource) bool { return false }
func (stable) VersionExplicitlyEnabled(schema.GroupVersion) bool          { return false }

package main

import (
	"context"

	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apiserver/pkg/registry/generic"
	"k8s.io/apiserver/pkg/storage"
	"k8s.io/apiserver/pkg/storage/storagebackend"
	"k8s.io/apiserver/pkg/storage/storagebackend/factory"
	"k8s.io/client-go/tools/cache"
)

// keys stands for etcd: it knows which objects exist, so that a second one of the same name is refused.
// What creating does not need is left to the nil Interface.
type keys struct {
	storage.Interface
	taken map[string]bool
}

func newKeys() *keys {
	return &keys{taken: map[string]bool{}}
}

func (k *keys) forget() {
	clear(k.taken)
}

func (k *keys) Create(_ context.Context, key string, _, _ runtime.Object, _ uint64) error {
	if k.taken[key] {
		return storage.NewKeyExistsError(key, 0)
	}
	k.taken[key] = true
	return nil
}

// Get is asked about an object whose key is taken, whether it is being deleted.
func (k *keys) Get(context.Context, string, storage.GetOptions, runtime.Object) error {
	return nil
}

func (k *keys) ReadinessCheck() error {
	return nil
}

// GetRESTOptions gives each resource a prefix of its own.
func (k *keys) GetRESTOptions(resource schema.GroupResource, _ runtime.Object) (generic.RESTOptions, error) {
	return generic.RESTOptions{
		StorageConfig:  &storagebackend.ConfigForResource{},
		ResourcePrefix: resource.String(),
		Decorator: func(
			*storagebackend.ConfigForResource, string, func(runtime.Object) (string, error), func() runtime.Object,
			func() runtime.Object, storage.AttrFunc, storage.IndexerFuncs, *cache.Indexers,
		) (storage.Interface, factory.DestroyFunc, error) {
			return k, func() {}, nil
		},
	}, nil
}

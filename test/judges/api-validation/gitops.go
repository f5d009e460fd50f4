package main

import (
	"context"
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"sort"

	"github.com/argoproj/gitops-engine/pkg/diff"
	openapi_v2 "github.com/google/gnostic-models/openapiv2"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	structural "k8s.io/apiextensions-apiserver/pkg/apiserver/schema"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema/defaulting"
	crdopenapi "k8s.io/apiextensions-apiserver/pkg/controller/openapi/builder"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/util/managedfields"
	"k8s.io/apiserver/pkg/endpoints/openapi"
	"k8s.io/apiserver/pkg/server"
	"k8s.io/kube-openapi/pkg/builder"
	"k8s.io/kube-openapi/pkg/builder3"
	openapiutil "k8s.io/kube-openapi/pkg/util"
	"k8s.io/kube-openapi/pkg/util/proto"
	"k8s.io/kube-openapi/pkg/validation/spec"
	"k8s.io/kubernetes/pkg/api/legacyscheme"
	generated "k8s.io/kubernetes/pkg/generated/openapi"
)

// The name by which Argo CD applies.
const manager = "argocd-controller"

// gitops compares what is applied with what the API server makes of it, as Argo CD and Flux do.
type gitops struct {
	schemas map[string]*spec.Schema
	types   managedfields.TypeConverter
	swagger *spec.Swagger
	parser  *managedfields.GvkParser
	custom  map[schema.GroupVersionKind]*managedfields.FieldManager
}

func newGitops() (*gitops, error) {
	names := []string{}
	known := generated.GetOpenAPIDefinitions(func(string) spec.Ref { return spec.Ref{} })
	for kind := range legacyscheme.Scheme.AllKnownTypes() {
		object, err := legacyscheme.Scheme.New(kind)
		if err != nil {
			return nil, err
		}
		if name := openapiutil.GetCanonicalTypeName(object); kind.Version != runtime.APIVersionInternal {
			if _, ok := known[name]; ok {
				names = append(names, name)
			}
		}
	}
	namer := openapi.NewDefinitionNamer(legacyscheme.Scheme)
	schemas, err := builder3.BuildOpenAPIDefinitionsForResources(server.DefaultOpenAPIV3Config(generated.GetOpenAPIDefinitions, namer), names...)
	if err != nil {
		return nil, err
	}
	types, err := managedfields.NewTypeConverter(schemas, false)
	if err != nil {
		return nil, err
	}
	swagger, err := builder.BuildOpenAPIDefinitionsForResources(server.DefaultOpenAPIConfig(generated.GetOpenAPIDefinitions, namer), names...)
	if err != nil {
		return nil, err
	}
	// A document has to have both.
	swagger.Info = &spec.Info{InfoProps: spec.InfoProps{Title: "Kubernetes", Version: "v1"}}
	swagger.Paths = &spec.Paths{}
	return &gitops{schemas, types, swagger, nil, map[schema.GroupVersionKind]*managedfields.FieldManager{}}, nil
}

// add makes a version of a CRD known, as the API server's customresource_handler.go does.
func (g *gitops) add(kind schema.GroupVersionKind, crd *apiextensionsv1.CustomResourceDefinition, rules *structural.Structural) error {
	own, err := crdopenapi.BuildOpenAPIV3(crd, kind.Version, crdopenapi.Options{})
	if err != nil {
		return err
	}
	types, err := managedfields.NewTypeConverter(own.Components.Schemas, false)
	if err != nil {
		return err
	}
	version := customVersion{kind, rules}
	g.custom[kind], err = managedfields.NewDefaultCRDFieldManager(types, version, version, version, kind, kind.GroupVersion(), "", nil)
	if err != nil {
		return err
	}
	published, err := crdopenapi.BuildOpenAPIV2(crd, kind.Version, crdopenapi.Options{V2: true})
	if err != nil {
		return err
	}
	g.swagger, err = crdopenapi.MergeSpecs(g.swagger, published)
	return err
}

// done makes of all schemas what Argo CD reads from a cluster.
func (g *gitops) done() error {
	text, err := json.Marshal(g.swagger)
	if err != nil {
		return err
	}
	document, err := openapi_v2.ParseDocument(text)
	if err != nil {
		return err
	}
	models, err := proto.NewOpenAPIData(document)
	if err != nil {
		return err
	}
	g.parser, err = managedfields.NewGVKParser(models, false)
	return err
}

func (g *gitops) managerOf(kind schema.GroupVersionKind) (*managedfields.FieldManager, error) {
	if custom, ok := g.custom[kind]; ok {
		return custom, nil
	}
	scheme := legacyscheme.Scheme
	hub := schema.GroupVersion{Group: kind.Group, Version: runtime.APIVersionInternal}
	return managedfields.NewDefaultFieldManager(g.types, scheme, scheme, scheme, kind, hub, "", nil)
}

// judge compares the manifest of an object with what the API server has made of it.
func (g *gitops) judge(each thing, text []byte, result *verdict) error {
	desired := &unstructured.Unstructured{}
	if err := desired.UnmarshalJSON(text); err != nil {
		return err
	}
	live, err := versioned(each.object, each.kind)
	if err != nil {
		return err
	}
	desired.SetNamespace(live.GetNamespace())
	fields, err := g.managerOf(each.kind)
	if err != nil {
		return err
	}
	empty, err := g.empty(each.kind)
	if err != nil {
		return err
	}
	applied, err := fields.Apply(empty, desired.DeepCopy(), manager, true)
	if err != nil {
		result.differ(each.label, "server-side apply", "", err.Error())
		return nil
	}
	owned, err := versioned(applied, each.kind)
	if err != nil {
		return err
	}
	last := live.DeepCopy()
	live.SetManagedFields(owned.GetManagedFields())
	again := dryRun(func(desired *unstructured.Unstructured) (*unstructured.Unstructured, error) {
		current, err := g.current(live, each.kind)
		if err != nil {
			return nil, err
		}
		next, err := fields.Apply(current, desired, manager, true)
		if err != nil {
			return nil, err
		}
		updated, err := versioned(next, each.kind)
		if err != nil {
			return nil, err
		}
		// The API server takes a status only by its own address.
		delete(updated.Object, "status")
		if status, found := live.Object["status"]; found {
			updated.Object["status"] = status
		}
		return updated, nil
	})
	compact, err := desired.MarshalJSON()
	if err != nil {
		return err
	}
	annotations := last.GetAnnotations()
	if annotations == nil {
		annotations = map[string]string{}
	}
	annotations[diff.AnnotationLastAppliedConfig] = string(compact)
	last.SetAnnotations(annotations)
	common := []diff.Option{diff.WithGVKParser(g.parser), diff.WithManager(manager), diff.WithIgnoreMutationWebhook(true)}
	for _, way := range []struct {
		with    string
		live    *unstructured.Unstructured
		options []diff.Option
	}{
		{"client-side apply", last, nil},
		{"server-side apply", live, []diff.Option{diff.WithStructuredMergeDiff(true)}},
		{"server-side diff", live, []diff.Option{diff.WithServerSideDiff(true), diff.WithServerSideDryRunner(again)}},
	} {
		found, err := diff.Diff(desired.DeepCopy(), way.live.DeepCopy(), append(slices.Clone(common), way.options...)...)
		if err != nil {
			result.differ(each.label, way.with, "", err.Error())
			continue
		}
		if !found.Modified {
			continue
		}
		var before, after any
		if err := json.Unmarshal(found.NormalizedLive, &before); err != nil {
			return err
		}
		if err := json.Unmarshal(found.PredictedLive, &after); err != nil {
			return err
		}
		result.compare(each.label, way.with, "", before, after)
	}
	return nil
}

func (v *verdict) compare(object, with, field string, live, desired any) {
	if reflect.DeepEqual(live, desired) {
		return
	}
	before, isMap := live.(map[string]any)
	after, isOther := desired.(map[string]any)
	if isMap && isOther {
		keys := map[string]bool{}
		for key := range before {
			keys[key] = true
		}
		for key := range after {
			keys[key] = true
		}
		sorted := []string{}
		for key := range keys {
			sorted = append(sorted, key)
		}
		sort.Strings(sorted)
		for _, key := range sorted {
			v.compare(object, with, field+"."+key, before[key], after[key])
		}
		return
	}
	first, isList := live.([]any)
	second, isOther := desired.([]any)
	if isList && isOther && len(first) == len(second) {
		for i := range first {
			v.compare(object, with, fmt.Sprintf("%s[%d]", field, i), first[i], second[i])
		}
		return
	}
	v.differ(object, with, field, fmt.Sprintf("live %s, desired %s", textOf(live), textOf(desired)))
}

func (v *verdict) differ(object, with, field, message string) {
	v.Differences = append(v.Differences, difference{object, with, field, message})
}

func textOf(value any) string {
	text, _ := json.Marshal(value)
	return string(text)
}

func (g *gitops) empty(kind schema.GroupVersionKind) (runtime.Object, error) {
	object := &unstructured.Unstructured{}
	object.SetGroupVersionKind(kind)
	if _, ok := g.custom[kind]; ok {
		return object, nil
	}
	return legacyscheme.Scheme.New(schema.GroupVersionKind{Group: kind.Group, Version: runtime.APIVersionInternal, Kind: kind.Kind})
}

func (g *gitops) current(live *unstructured.Unstructured, kind schema.GroupVersionKind) (runtime.Object, error) {
	if _, ok := g.custom[kind]; ok {
		return live.DeepCopy(), nil
	}
	text, err := live.MarshalJSON()
	if err != nil {
		return nil, err
	}
	return runtime.Decode(legacyscheme.Codecs.UniversalDecoder(), text)
}

// versioned is an object as a client reads it.
func versioned(object runtime.Object, kind schema.GroupVersionKind) (*unstructured.Unstructured, error) {
	if custom, ok := object.(*unstructured.Unstructured); ok {
		return custom.DeepCopy(), nil
	}
	text, err := runtime.Encode(legacyscheme.Codecs.LegacyCodec(kind.GroupVersion()), object)
	if err != nil {
		return nil, err
	}
	read := &unstructured.Unstructured{}
	return read, read.UnmarshalJSON(text)
}

// dryRun is the server-side apply that changes nothing.
type dryRun func(*unstructured.Unstructured) (*unstructured.Unstructured, error)

func (d dryRun) Run(_ context.Context, desired *unstructured.Unstructured, _ string) (string, error) {
	next, err := d(desired)
	if err != nil {
		return "", err
	}
	text, err := next.MarshalJSON()
	return string(text), err
}

// customVersion is a CRD of one version.
type customVersion struct {
	kind  schema.GroupVersionKind
	rules *structural.Structural
}

func (c customVersion) New(schema.GroupVersionKind) (runtime.Object, error) {
	object := &unstructured.Unstructured{}
	object.SetGroupVersionKind(c.kind)
	return object, nil
}

func (c customVersion) Default(object runtime.Object) {
	if custom, ok := object.(*unstructured.Unstructured); ok {
		defaulting.Default(custom.Object, c.rules)
	}
}

func (c customVersion) Convert(in, out, _ any) error {
	return fmt.Errorf("no conversion of %T to %T", in, out)
}

func (c customVersion) ConvertToVersion(object runtime.Object, _ runtime.GroupVersioner) (runtime.Object, error) {
	return object, nil
}

func (c customVersion) ConvertFieldLabel(_ schema.GroupVersionKind, label, value string) (string, string, error) {
	return label, value, nil
}

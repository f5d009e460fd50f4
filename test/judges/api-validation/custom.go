package main

import (
	"fmt"
	"os"
	"path/filepath"

	"k8s.io/apiextensions-apiserver/pkg/apis/apiextensions"
	"k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/install"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	structural "k8s.io/apiextensions-apiserver/pkg/apiserver/schema"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema/defaulting"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema/objectmeta"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema/pruning"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/validation"
	"k8s.io/apiextensions-apiserver/pkg/crdserverscheme"
	"k8s.io/apiextensions-apiserver/pkg/registry/customresource"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/runtime/serializer"
	"k8s.io/apiserver/pkg/registry/rest"
	kjson "sigs.k8s.io/json"
)

// customKind is a served version of a CRD.
type customKind struct {
	schema  *structural.Structural
	storage rest.Creater
}

type customResources map[schema.GroupVersionKind]*customKind

// customKinds are the kinds whose CRDs are in the folder.
func customKinds(folder string, store *keys, gitops *gitops) (customResources, error) {
	kinds := customResources{}
	if folder == "" {
		return kinds, nil
	}
	files, err := filepath.Glob(filepath.Join(folder, "*.yaml"))
	if err != nil {
		return nil, err
	}
	if len(files) == 0 {
		return nil, fmt.Errorf("no CustomResourceDefinition in %s", folder)
	}
	scheme := runtime.NewScheme()
	install.Install(scheme)
	decoder := serializer.NewCodecFactory(scheme).UniversalDeserializer()
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			return nil, err
		}
		var crd apiextensionsv1.CustomResourceDefinition
		if _, _, err := decoder.Decode(text, nil, &crd); err != nil {
			return nil, fmt.Errorf("%s: %w", file, err)
		}
		scheme.Default(&crd)
		for _, version := range crd.Spec.Versions {
			if !version.Served {
				continue
			}
			kind := schema.GroupVersionKind{Group: crd.Spec.Group, Version: version.Name, Kind: crd.Spec.Names.Kind}
			if kinds[kind], err = newCustomKind(kind, &crd, version, store); err != nil {
				return nil, fmt.Errorf("%s: %w", file, err)
			}
			if err := gitops.add(kind, &crd, kinds[kind].schema); err != nil {
				return nil, fmt.Errorf("%s: %w", file, err)
			}
		}
	}
	return kinds, nil
}

// newCustomKind follows getOrCreateServingInfoFor of the API server's customresource_handler.go.
func newCustomKind(
	kind schema.GroupVersionKind, crd *apiextensionsv1.CustomResourceDefinition,
	version apiextensionsv1.CustomResourceDefinitionVersion, store *keys,
) (*customKind, error) {
	var properties apiextensions.CustomResourceValidation
	err := apiextensionsv1.Convert_v1_CustomResourceValidation_To_apiextensions_CustomResourceValidation(version.Schema, &properties, nil)
	if err != nil {
		return nil, err
	}
	rules, err := structural.NewStructural(properties.OpenAPIV3Schema)
	if err != nil {
		return nil, err
	}
	validator, _, err := validation.NewSchemaValidator(properties.OpenAPIV3Schema)
	if err != nil {
		return nil, err
	}
	resource := schema.GroupResource{Group: kind.Group, Resource: crd.Spec.Names.Plural}
	singular := schema.GroupResource{Group: kind.Group, Resource: crd.Spec.Names.Singular}
	list := kind.GroupVersion().WithKind(kind.Kind + "List")
	status, scale, err := subresources(version)
	if err != nil {
		return nil, err
	}
	namespaced := crd.Spec.Scope == apiextensionsv1.NamespaceScoped
	strategy := customresource.NewStrategy(
		crdserverscheme.NewUnstructuredObjectTyper(), namespaced, kind, validator, nil, rules, status, scale, nil)
	storage, err := customresource.NewStorage(
		resource, singular, kind, list, strategy, store, nil, rest.NewDefaultTableConvertor(resource), nil)
	if err != nil {
		return nil, err
	}
	return &customKind{rules, storage.CustomResource}, nil
}

func subresources(version apiextensionsv1.CustomResourceDefinitionVersion) (
	*apiextensions.CustomResourceSubresourceStatus, *apiextensions.CustomResourceSubresourceScale, error,
) {
	var both apiextensions.CustomResourceSubresources
	if version.Subresources == nil {
		return nil, nil, nil
	}
	err := apiextensionsv1.Convert_v1_CustomResourceSubresources_To_apiextensions_CustomResourceSubresources(version.Subresources, &both, nil)
	return both.Status, both.Scale, err
}

// decode reads strictly, drops what the schema does not know and adds its defaults, as the API server does in this order.
// An error about unknown and duplicate fields comes with the object.
func (c *customKind) decode(text []byte) (runtime.Object, error) {
	object := &unstructured.Unstructured{}
	wrong, err := kjson.UnmarshalStrict(text, &object.Object)
	if err != nil {
		return nil, err
	}
	options := objectmeta.ObjectMetaOptions{ReturnUnknownFieldPaths: true}
	metadata, _, unknown, err := objectmeta.GetObjectMetaWithOptions(object.Object, options)
	if err != nil {
		return nil, err
	}
	kind := object.GroupVersionKind()
	unknown = append(unknown, pruning.PruneWithOptions(object.Object, c.schema, true, structural.UnknownFieldPathOptions{TrackUnknownFieldPaths: true})...)
	defaulting.PruneNonNullableNullsWithoutDefaults(object.Object, c.schema)
	invalid, more := objectmeta.CoerceWithOptions(nil, object.Object, c.schema, false, objectmeta.CoerceOptions{ReturnUnknownFieldPaths: true})
	if invalid != nil {
		return nil, invalid
	}
	defaulting.Default(object.Object, c.schema)
	object.SetGroupVersionKind(kind)
	if err := objectmeta.SetObjectMeta(object.Object, metadata); err != nil {
		return nil, err
	}
	for _, path := range append(unknown, more...) {
		wrong = append(wrong, fmt.Errorf("unknown field %q", path))
	}
	if len(wrong) > 0 {
		return object, runtime.NewStrictDecodingError(wrong)
	}
	return object, nil
}

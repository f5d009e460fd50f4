package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"io"
	"regexp"
	"strings"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/runtime/serializer"
	"k8s.io/apimachinery/pkg/util/validation/field"
	utilyaml "k8s.io/apimachinery/pkg/util/yaml"
	"k8s.io/apiserver/pkg/endpoints/request"
	"k8s.io/apiserver/pkg/registry/rest"
	"k8s.io/apiserver/pkg/warning"
	"k8s.io/kubernetes/pkg/api/legacyscheme"
	api "k8s.io/kubernetes/pkg/apis/core"
	"k8s.io/kubernetes/pkg/apis/core/pods"
	"k8s.io/kubernetes/pkg/util/parsers"
	"sigs.k8s.io/yaml"
)

type judge struct {
	store   *keys
	builtIn resources
	custom  customResources
	decoder runtime.Decoder
	gitops  *gitops
}

// thing is an object on its way: what it is called in a verdict, and the namespace of the request.
type thing struct {
	label     string
	namespace string
	kind      schema.GroupVersionKind
	object    runtime.Object
}

func newJudge(crds string) (*judge, error) {
	store := newKeys()
	kinds, err := builtIn(store)
	if err != nil {
		return nil, err
	}
	gitops, err := newGitops()
	if err != nil {
		return nil, err
	}
	custom, err := customKinds(crds, store, gitops)
	if err != nil {
		return nil, err
	}
	if err := gitops.done(); err != nil {
		return nil, err
	}
	strict := serializer.NewCodecFactory(legacyscheme.Scheme, serializer.EnableStrict)
	return &judge{store: store, builtIn: kinds, custom: custom, decoder: strict.UniversalDecoder(), gitops: gitops}, nil
}

// judge creates all objects of an app in an empty cluster.
func (j *judge) judge(next app) (verdict, error) {
	result := verdict{ID: next.ID, Refusals: []refusal{}, Warnings: []warned{}, Unjudged: []string{}, Differences: []difference{}}
	j.store.forget()
	if err := j.builtIn.renewServices(j.store); err != nil {
		return result, err
	}
	reader := utilyaml.NewYAMLReader(bufio.NewReader(strings.NewReader(next.YAML)))
	for {
		document, err := reader.Read()
		if errors.Is(err, io.EOF) {
			return result, nil
		}
		if err != nil {
			return result, err
		}
		text, err := yaml.YAMLToJSONStrict(document)
		if err != nil {
			result.refuse("document", err)
			continue
		}
		if !bytes.Equal(text, []byte("null")) {
			result.Objects++
			j.judgeObject(text, &result)
		}
	}
}

func (j *judge) judgeObject(text []byte, result *verdict) {
	header, err := headerOf(text)
	if err != nil {
		result.refuse("document", err)
		return
	}
	if kind, ok := j.custom[header.kind]; ok {
		if header.object, err = kind.decode(text); err != nil {
			result.refuse(header.label, err)
		}
		if header.object != nil && j.create(header, kind.storage, result) {
			j.compare(header, text, result)
		}
		return
	}
	creater, ok := j.builtIn.of(header.kind)
	if !ok {
		result.Unjudged = append(result.Unjudged, header.label)
		return
	}
	// A strict error comes with the object, whose fields are judged all the same.
	header.object, _, err = j.decoder.Decode(text, nil, nil)
	if err != nil {
		result.refuse(header.label, err)
	}
	if header.object == nil {
		return
	}
	if !j.create(header, creater, result) {
		return
	}
	j.compare(header, text, result)
	for _, made := range madeOf(header) {
		if creater, ok := j.builtIn.of(made.kind); ok && !j.create(made, creater, result) {
			return
		}
		result.refuseImages(made)
	}
}

// compare says what of an object that has been created is not as its manifest says.
func (j *judge) compare(each thing, text []byte, result *verdict) {
	if err := j.gitops.judge(each, text, result); err != nil {
		result.differ(each.label, "", "", err.Error())
	}
}

// create is false if the object is refused.
func (j *judge) create(each thing, creater rest.Creater, result *verdict) bool {
	namespace := each.namespace
	if scoper, ok := creater.(rest.Scoper); ok && !scoper.NamespaceScoped() {
		namespace = metav1.NamespaceNone
	}
	ctx := request.WithNamespace(context.Background(), namespace)
	resource, _ := meta.UnsafeGuessKindToResource(each.kind)
	ctx = request.WithRequestInfo(ctx, &request.RequestInfo{
		Verb: "create", APIGroup: resource.Group, APIVersion: resource.Version, Resource: resource.Resource, Namespace: namespace,
	})
	ctx = warning.WithWarningRecorder(ctx, recorder{each.label, result})
	if accessor, err := meta.Accessor(each.object); err == nil {
		if err := rest.EnsureObjectNamespaceMatchesRequestNamespace(namespace, accessor); err != nil {
			result.refuse(each.label, err)
			return false
		}
	}
	_, err := creater.Create(ctx, each.object, rest.ValidateAllObjectFunc, &metav1.CreateOptions{})
	if err != nil {
		result.refuse(each.label, err)
	}
	return err == nil
}

func (r resources) of(kind schema.GroupVersionKind) (rest.Creater, bool) {
	resource, _ := meta.UnsafeGuessKindToResource(kind)
	creater, ok := r[resource]
	return creater, ok
}

func headerOf(text []byte) (thing, error) {
	var header metav1.PartialObjectMetadata
	if err := yaml.Unmarshal(text, &header); err != nil {
		return thing{}, err
	}
	namespace := header.Namespace
	if namespace == "" {
		namespace = metav1.NamespaceDefault
	}
	return thing{
		label:     header.Kind + "/" + header.Name,
		namespace: namespace,
		kind:      header.GroupVersionKind(),
	}, nil
}

var quoted = regexp.MustCompile(`^unknown field "(.*)"$|^duplicate field "(.*)"$`)

func (v *verdict) refuse(label string, err error) {
	if strict, ok := runtime.AsStrictDecodingError(err); ok {
		for _, each := range strict.Errors() {
			field, message := "", each.Error()
			if found := quoted.FindStringSubmatch(message); found != nil {
				field, message = found[1]+found[2], message[:strings.Index(message, ` "`)]
			}
			v.Refusals = append(v.Refusals, refusal{label, field, message})
		}
		return
	}
	var status apierrors.APIStatus
	if errors.As(err, &status) && status.Status().Details != nil && len(status.Status().Details.Causes) > 0 {
		for _, cause := range status.Status().Details.Causes {
			v.Refusals = append(v.Refusals, refusal{label, cause.Field, cause.Message})
		}
		return
	}
	v.Refusals = append(v.Refusals, refusal{label, "", err.Error()})
}

// refuseImages says which images the kubelet would not try to pull.
func (v *verdict) refuseImages(each thing) {
	made, ok := each.object.(*api.Pod)
	if !ok {
		return
	}
	pods.VisitContainersWithPath(&made.Spec, field.NewPath("spec"), func(container *api.Container, path *field.Path) bool {
		if _, _, _, err := parsers.ParseImageName(container.Image); err != nil {
			v.Refusals = append(v.Refusals, refusal{each.label, path.Child("image").String(), err.Error()})
		}
		return true
	})
}

type recorder struct {
	label  string
	result *verdict
}

func (r recorder) AddWarning(_, text string) {
	r.result.Warnings = append(r.result.Warnings, warned{r.label, text})
}

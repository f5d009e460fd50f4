package main

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apiserver/pkg/storage/names"
	"k8s.io/kubernetes/pkg/api/legacyscheme"
	"k8s.io/kubernetes/pkg/apis/apps"
	"k8s.io/kubernetes/pkg/apis/batch"
	api "k8s.io/kubernetes/pkg/apis/core"
)

// As long as the longest hash of a template, and as the minutes by which a CronJob names its Jobs.
const (
	hash    = "ffffffffff"
	minutes = "29999999"
)

// madeOf are the objects that Kubernetes' controllers make of one that has been created. Whatever refuses those, such as the
// length of a label that a controller adds, is said to nobody who applies a manifest.
func madeOf(each thing) []thing {
	switch owner := each.object.(type) {
	case *apps.Deployment:
		set := &apps.ReplicaSet{
			ObjectMeta: each.meta(owner.Name+"-"+hash, owner.Spec.Template.Labels),
			Spec: apps.ReplicaSetSpec{
				Replicas: owner.Spec.Replicas,
				Selector: owner.Spec.Selector.DeepCopy(),
				Template: *owner.Spec.Template.DeepCopy(),
			},
		}
		with(&set.Labels, "pod-template-hash", hash)
		with(&set.Spec.Template.Labels, "pod-template-hash", hash)
		with(&set.Spec.Selector.MatchLabels, "pod-template-hash", hash)
		return []thing{
			each.made("apps", "ReplicaSet", set.Name, set),
			each.pod(names.SimpleNameGenerator.GenerateName(set.Name+"-"), set.Spec.Template),
		}
	case *apps.StatefulSet:
		return append(each.claims(owner), each.pod(owner.Name+"-0", firstOf(owner)))
	case *batch.Job:
		return []thing{each.pod(names.SimpleNameGenerator.GenerateName(owner.Name+"-"), owner.Spec.Template)}
	case *batch.CronJob:
		job := &batch.Job{
			ObjectMeta: each.meta(owner.Name+"-"+minutes, owner.Spec.JobTemplate.Labels),
			Spec:       *owner.Spec.JobTemplate.Spec.DeepCopy(),
		}
		made := each.made("batch", "Job", job.Name, job)
		return append([]thing{made}, each.pod(names.SimpleNameGenerator.GenerateName(job.Name+"-"), job.Spec.Template))
	default:
		return nil
	}
}

// firstOf is the template of the pod with the number 0.
func firstOf(owner *apps.StatefulSet) api.PodTemplateSpec {
	template := *owner.Spec.Template.DeepCopy()
	with(&template.Labels, "statefulset.kubernetes.io/pod-name", owner.Name+"-0")
	with(&template.Labels, "apps.kubernetes.io/pod-index", "0")
	with(&template.Labels, "controller-revision-hash", owner.Name+"-"+hash)
	for _, claim := range owner.Spec.VolumeClaimTemplates {
		template.Spec.Volumes = append(template.Spec.Volumes, api.Volume{
			Name: claim.Name,
			VolumeSource: api.VolumeSource{
				PersistentVolumeClaim: &api.PersistentVolumeClaimVolumeSource{ClaimName: claim.Name + "-" + owner.Name + "-0"},
			},
		})
	}
	template.Spec.Hostname = owner.Name + "-0"
	template.Spec.Subdomain = owner.Spec.ServiceName
	return template
}

func (t thing) claims(owner *apps.StatefulSet) []thing {
	var made []thing
	for _, template := range owner.Spec.VolumeClaimTemplates {
		claim := template.DeepCopy()
		claim.ObjectMeta = t.meta(template.Name+"-"+owner.Name+"-0", owner.Spec.Selector.MatchLabels)
		claim.Annotations = template.Annotations
		made = append(made, t.made("", "PersistentVolumeClaim", claim.Name, claim))
	}
	return made
}

func (t thing) pod(name string, template api.PodTemplateSpec) thing {
	pod := &api.Pod{ObjectMeta: t.meta(name, template.Labels), Spec: *template.Spec.DeepCopy()}
	pod.Annotations = template.Annotations
	return t.made("", "Pod", "", pod)
}

func (t thing) made(group, kind, name string, object runtime.Object) thing {
	label := t.label + " > " + kind
	if name != "" {
		label += "/" + name
	}
	as := schema.GroupVersionKind{Group: group, Version: "v1", Kind: kind}
	return thing{label, t.namespace, as, withDefaults(object, as.GroupVersion())}
}

// withDefaults adds what the API server adds when it reads an object from a controller.
func withDefaults(object runtime.Object, version schema.GroupVersion) runtime.Object {
	sent, err := legacyscheme.Scheme.ConvertToVersion(object, version)
	check(err)
	legacyscheme.Scheme.Default(sent)
	received, err := legacyscheme.Scheme.ConvertToVersion(sent, runtime.InternalGroupVersioner)
	check(err)
	return received
}

func (t thing) meta(name string, labels map[string]string) metav1.ObjectMeta {
	made := metav1.ObjectMeta{Name: name, Namespace: t.namespace}
	for key, value := range labels {
		with(&made.Labels, key, value)
	}
	return made
}

func with(labels *map[string]string, key, value string) {
	if *labels == nil {
		*labels = map[string]string{}
	}
	(*labels)[key] = value
}

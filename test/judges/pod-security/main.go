// Command pod-security judges the pods in YAML files by Kubernetes' own evaluator of the "restricted" Pod Security
// Standard, in its latest version. It prints what is forbidden and how many pods there were, as JSON.
package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/yaml"
	"k8s.io/pod-security-admission/api"
	"k8s.io/pod-security-admission/policy"
)

// object is as much of a Deployment, StatefulSet, Job, CronJob or Pod as leads to its pod.
type object struct {
	Kind     string            `json:"kind"`
	Metadata metav1.ObjectMeta `json:"metadata"`
	Spec     json.RawMessage   `json:"spec"`
}

type workloadSpec struct {
	Template    corev1.PodTemplateSpec `json:"template"`
	JobTemplate struct {
		Spec struct {
			Template corev1.PodTemplateSpec `json:"template"`
		} `json:"spec"`
	} `json:"jobTemplate"`
}

type finding struct {
	File   string `json:"file"`
	Object string `json:"object"`
	ID     string `json:"id"`
	Detail string `json:"detail"`
}

type verdict struct {
	Pods     int       `json:"pods"`
	Findings []finding `json:"findings"`
}

func main() {
	evaluator, err := policy.NewEvaluator(policy.DefaultChecks(), nil)
	check(err)
	result := verdict{Findings: []finding{}}
	for _, file := range os.Args[1:] {
		for _, each := range read(file) {
			template := podOf(each)
			if template == nil {
				continue
			}
			result.Pods++
			restricted := api.LevelVersion{Level: api.LevelRestricted, Version: api.LatestVersion()}
			for _, answer := range evaluator.EvaluatePod(restricted, &template.ObjectMeta, &template.Spec) {
				if !answer.Allowed {
					name := each.Kind + "/" + each.Metadata.Name
					result.Findings = append(result.Findings, finding{file, name, answer.ForbiddenReason, answer.ForbiddenDetail})
				}
			}
		}
	}
	check(json.NewEncoder(os.Stdout).Encode(result))
}

func read(file string) []object {
	reader, err := os.Open(file)
	check(err)
	defer reader.Close()
	decoder := yaml.NewYAMLOrJSONDecoder(reader, 4096)
	var objects []object
	for {
		var next object
		if err := decoder.Decode(&next); errors.Is(err, io.EOF) {
			return objects
		} else {
			check(err)
		}
		objects = append(objects, next)
	}
}

func podOf(each object) *corev1.PodTemplateSpec {
	var spec workloadSpec
	switch each.Kind {
	case "Deployment", "StatefulSet", "DaemonSet", "ReplicaSet", "Job":
		check(json.Unmarshal(each.Spec, &spec))
		return &spec.Template
	case "CronJob":
		check(json.Unmarshal(each.Spec, &spec))
		return &spec.JobTemplate.Spec.Template
	case "Pod":
		pod := corev1.PodTemplateSpec{ObjectMeta: each.Metadata}
		check(json.Unmarshal(each.Spec, &pod.Spec))
		return &pod
	default:
		return nil
	}
}

func check(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// Command api-validation says what the Kubernetes API server would refuse when the objects of an app are created, without a
// server: it decodes, defaults and creates each object by the API server's own code, on a store that keeps only keys.
// Custom resources are judged by their CRDs, which are read from the folder --crds.
//
// With files as arguments, each is an app. Without, each line of standard input is one: {"id": "...", "yaml": "..."}.
// It prints a line of JSON for each app.
package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"

	"k8s.io/klog/v2"
)

type app struct {
	ID   string `json:"id"`
	YAML string `json:"yaml"`
}

// verdict is what the API server says about an app.
type verdict struct {
	ID      string `json:"id"`
	Objects int    `json:"objects"`
	// Refusals are errors: the object, or a pod of it, would not come to be.
	Refusals []refusal `json:"refusals"`
	// Warnings are what kubectl prints of an object that is created.
	Warnings []warned `json:"warnings"`
	// Unjudged are objects of kinds whose rules are not at hand.
	Unjudged []string `json:"unjudged"`
	// Differences are what Argo CD would show of an object that has just been applied.
	Differences []difference `json:"differences"`
}

type refusal struct {
	Object  string `json:"object"`
	Field   string `json:"field"`
	Message string `json:"message"`
}

type difference struct {
	Object  string `json:"object"`
	With    string `json:"with"`
	Field   string `json:"field"`
	Message string `json:"message"`
}

type warned struct {
	Object  string `json:"object"`
	Message string `json:"message"`
}

func main() {
	crds := flag.String("crds", "", "folder of CustomResourceDefinitions")
	flag.Parse()
	// Defaulting and validation log what does not concern the verdict.
	klog.SetLogger(klog.Logger{})
	judge, err := newJudge(*crds)
	check(err)
	out := bufio.NewWriter(os.Stdout)
	encoder := json.NewEncoder(out)
	encoder.SetEscapeHTML(false)
	each(flag.Args(), func(next app) {
		answer, err := judge.judge(next)
		check(err)
		check(encoder.Encode(answer))
		check(out.Flush())
	})
}

func each(files []string, do func(app)) {
	for _, file := range files {
		text, err := os.ReadFile(file)
		check(err)
		do(app{ID: file, YAML: string(text)})
	}
	if len(files) > 0 {
		return
	}
	decoder := json.NewDecoder(os.Stdin)
	for {
		var next app
		if err := decoder.Decode(&next); errors.Is(err, io.EOF) {
			return
		} else {
			check(err)
		}
		do(next)
	}
}

func check(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

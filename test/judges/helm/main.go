// Command helm-template renders the chart in a folder by Helm's own engine, as `helm template` does, and prints its manifests.
package main

import (
	"fmt"
	"maps"
	"os"
	"slices"

	"helm.sh/helm/v4/pkg/chart/common"
	"helm.sh/helm/v4/pkg/chart/common/util"
	"helm.sh/helm/v4/pkg/chart/v2/loader"
	"helm.sh/helm/v4/pkg/engine"
)

func main() {
	files, err := render(os.Args[1])
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	for _, name := range slices.Sorted(maps.Keys(files)) {
		fmt.Printf("---\n%s\n", files[name])
	}
}

func render(folder string) (map[string]string, error) {
	chart, err := loader.LoadDir(folder)
	if err != nil {
		return nil, err
	}
	release := common.ReleaseOptions{Name: "mlflow", Namespace: "default", IsInstall: true}
	values, err := util.ToRenderValues(chart, nil, release, common.DefaultCapabilities)
	if err != nil {
		return nil, err
	}
	return engine.Render(chart, values)
}

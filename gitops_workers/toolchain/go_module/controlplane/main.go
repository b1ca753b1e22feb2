// Command controlplane is a whole Kubernetes control plane in one binary, for the demo and the tests.
//
//	controlplane etcd|kube-apiserver|kube-controller-manager|kube-scheduler [flags of that program]
//
// The Kubernetes programs share most of their code, so one binary is much smaller and faster to build than
// four. A link named like one of the programs starts that program.
package main

import (
	"fmt"
	"os"
	"path/filepath"
	"sort"
	"strings"
	_ "time/tzdata" // CronJob time zones on hosts that have no zone database

	"github.com/spf13/cobra"
	"go.etcd.io/etcd/server/v3/etcdmain"
	"k8s.io/component-base/cli"
	_ "k8s.io/component-base/metrics/prometheus/clientgo"
	_ "k8s.io/component-base/metrics/prometheus/version"
	apiserver "k8s.io/kubernetes/cmd/kube-apiserver/app"
	controllermanager "k8s.io/kubernetes/cmd/kube-controller-manager/app"
	scheduler "k8s.io/kubernetes/cmd/kube-scheduler/app"
)

// Constructors, not commands: building a command registers its flags and feature gates in process-wide
// registries, and those of two programs collide.
var kubernetes = map[string]func() *cobra.Command{
	"kube-apiserver":          apiserver.NewAPIServerCommand,
	"kube-controller-manager": controllermanager.NewControllerManagerCommand,
	"kube-scheduler":          func() *cobra.Command { return scheduler.NewSchedulerCommand() },
}

func programs() string {
	names := []string{"etcd"}
	for name := range kubernetes {
		names = append(names, name)
	}
	sort.Strings(names)
	return strings.Join(names, "|")
}

func main() {
	args := os.Args
	if name := filepath.Base(args[0]); name != "etcd" && kubernetes[name] == nil {
		args = args[1:]
	}
	if len(args) == 0 {
		fmt.Fprintf(os.Stderr, "usage: controlplane %s [flags]\n", programs())
		os.Exit(2)
	}
	// etcd and cobra both read the process's own argument list.
	os.Args = args
	if args[0] == "etcd" {
		etcdmain.Main(args)
		return
	}
	build, known := kubernetes[args[0]]
	if !known {
		fmt.Fprintf(os.Stderr, "controlplane: unknown program %q; one of %s\n", args[0], programs())
		os.Exit(2)
	}
	os.Exit(cli.Run(build()))
}

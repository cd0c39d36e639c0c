// Command operator is a small operator over controller-runtime, for the tests: nothing in it knows Leme.
//
// A Deployment with the annotation example.com/greeting gets a ConfigMap of that text, which it owns, and a condition that
// says so. When it is deleted, a ConfigMap that nobody owns keeps its last words.
package main

import (
	"flag"
	"log/slog"
	"os"
	"time"

	"github.com/go-logr/logr"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/builder"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/metrics/server"
	"sigs.k8s.io/controller-runtime/pkg/predicate"
)

func main() {
	namespace := flag.String("namespace", "default", "where to look, and where the lock is")
	name := flag.String("name", "operator", "who holds the lock")
	flag.Parse()
	log := logr.FromSlogHandler(slog.NewTextHandler(os.Stderr, nil))
	ctrl.SetLogger(log)
	if err := run(*namespace, *name); err != nil {
		log.Error(err, "the operator ended")
		os.Exit(1)
	}
}

func run(namespace, name string) error {
	config, err := ctrl.GetConfig()
	if err != nil {
		return err
	}
	// Short, so that another takes over soon.
	lease, renew, retry := 3*time.Second, 2*time.Second, 500*time.Millisecond
	manager, err := ctrl.NewManager(config, ctrl.Options{
		Cache:                   cache.Options{DefaultNamespaces: map[string]cache.Config{namespace: {}}},
		Metrics:                 server.Options{BindAddress: "0"},
		LeaderElection:          true,
		LeaderElectionID:        "greeter",
		LeaderElectionNamespace: namespace,
		LeaseDuration:           &lease,
		RenewDeadline:           &renew,
		RetryPeriod:             &retry,
	})
	if err != nil {
		return err
	}
	greeted := predicate.NewPredicateFuncs(isGreeted)
	err = ctrl.NewControllerManagedBy(manager).
		For(&appsv1.Deployment{}, builder.WithPredicates(greeted)).
		Owns(&corev1.ConfigMap{}).
		Complete(&greeter{Client: manager.GetClient(), events: manager.GetEventRecorder(name), name: name})
	if err != nil {
		return err
	}
	return manager.Start(ctrl.SetupSignalHandler())
}

package server

import (
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"

	"leme/server/kind"
)

func TestSystemPrioritiesAreThereAtStart(t *testing.T) {
	_, kubeconfig := start(t)
	classes := kubernetes.NewForConfigOrDie(clientConfig(t, kubeconfig)).SchedulingV1().PriorityClasses()
	for _, want := range kind.SystemPriorityClasses() {
		got, err := classes.Get(t.Context(), want.Name, metav1.GetOptions{})
		if err != nil || got.Value != want.Value {
			t.Errorf("%s is worth %d, %v", want.Name, got.Value, err)
		}
	}
}

package kind

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
)

// scales declares the scale subresource of a kind with the usual paths. of returns where the wanted replicas are,
// the observed ones, and the selector of the pods.
func scales[P runtime.Object](of func(P) (wanted **int32, observed int32, selector *metav1.LabelSelector)) *Scale {
	return &Scale{
		Replicas: func(obj runtime.Object) (spec, status int32, selector string) {
			wanted, observed, labels := of(obj.(P))
			if *wanted != nil {
				spec = **wanted
			}
			if parsed, err := metav1.LabelSelectorAsSelector(labels); err == nil {
				selector = parsed.String()
			}
			return spec, observed, selector
		},
		Set: func(obj runtime.Object, replicas int32) {
			wanted, _, _ := of(obj.(P))
			*wanted = &replicas
		},
		SpecPath:     ".spec.replicas",
		StatusPath:   ".status.replicas",
		SelectorPath: ".status.selector",
	}
}

package kind

import (
	"maps"
	"strconv"

	appsv1 "k8s.io/api/apps/v1"
)

// templateGeneration is how often a DaemonSet's template has changed. Versions before apps/v1 had a field for it; now
// it is kept in an annotation, and nobody but the server writes it.
func templateGeneration(ds *appsv1.DaemonSet) int64 {
	n, err := strconv.ParseInt(ds.Annotations[appsv1.DeprecatedTemplateGeneration], 10, 64)
	if err != nil {
		return 0
	}
	return n
}

func setTemplateGeneration(ds *appsv1.DaemonSet, n int64) {
	ds.Annotations = maps.Clone(ds.Annotations)
	if ds.Annotations == nil {
		ds.Annotations = map[string]string{}
	}
	ds.Annotations[appsv1.DeprecatedTemplateGeneration] = strconv.FormatInt(n, 10)
}

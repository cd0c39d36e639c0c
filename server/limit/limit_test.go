package limit_test

import (
	"fmt"
	"slices"
	"testing"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"

	"leme/server/limit"
)

func cpu(text string) corev1.ResourceList {
	return corev1.ResourceList{corev1.ResourceCPU: resource.MustParse(text)}
}

func container(name string, requests, limits corev1.ResourceList) corev1.Container {
	return corev1.Container{Name: name, Resources: corev1.ResourceRequirements{Requests: requests, Limits: limits}}
}

func limitRange(items ...corev1.LimitRangeItem) *corev1.LimitRange {
	return &corev1.LimitRange{Spec: corev1.LimitRangeSpec{Limits: items}}
}

func TestDefault(t *testing.T) {
	lr := limitRange(corev1.LimitRangeItem{Type: corev1.LimitTypeContainer, Default: cpu("500m"), DefaultRequest: cpu("200m")})
	pod := &corev1.Pod{Spec: corev1.PodSpec{
		Containers:     []corev1.Container{container("web", nil, nil), container("side", cpu("1"), cpu("2"))},
		InitContainers: []corev1.Container{container("init", nil, cpu("300m"))},
	}}
	limit.Default(lr, pod)
	want := "LimitRanger plugin set: cpu request for container web; cpu limit for container web; cpu request for init container init"
	if got := pod.Annotations[limit.Annotation]; got != want {
		t.Errorf("the pod tells %q", got)
	}
	for i, want := range []string{"200m of 500m", "1 of 2"} {
		r := pod.Spec.Containers[i].Resources
		if got := r.Requests.Cpu().String() + " of " + r.Limits.Cpu().String(); got != want {
			t.Errorf("container %d asks for %s, want %s", i, got, want)
		}
	}
	if pod.Spec.Containers[0].Resources.Limits.Cpu() == lr.Spec.Limits[0].Default.Cpu() {
		t.Error("the pod shares a quantity with the limit range")
	}

	full := &corev1.Pod{Spec: corev1.PodSpec{Containers: []corev1.Container{container("side", cpu("1"), cpu("2"))}}}
	limit.Default(lr, full)
	if full.Annotations != nil {
		t.Errorf("nothing was set, but the pod tells %v", full.Annotations)
	}
}

func TestCheck(t *testing.T) {
	bounded := corev1.LimitRangeItem{Type: corev1.LimitTypeContainer, Min: cpu("100m"), Max: cpu("1")}
	inRatio := corev1.LimitRangeItem{Type: corev1.LimitTypeContainer, MaxLimitRequestRatio: cpu("2")}
	whole := corev1.LimitRangeItem{Type: corev1.LimitTypePod, Max: cpu("1")}
	for _, test := range []struct {
		name       string
		item       corev1.LimitRangeItem
		containers []corev1.Container
		want       []string
	}{
		{"inside", bounded, []corev1.Container{container("a", cpu("100m"), cpu("1"))}, nil},
		{"nothing said", bounded, []corev1.Container{container("a", nil, nil)}, []string{
			"minimum cpu usage per Container is 100m.  No request is specified",
			"maximum cpu usage per Container is 1.  No limit is specified"}},
		{"too little", bounded, []corev1.Container{container("a", cpu("50m"), cpu("60m"))}, []string{
			"minimum cpu usage per Container is 100m, but request is 50m"}},
		{"too much", bounded, []corev1.Container{container("a", cpu("200m"), cpu("1500m"))}, []string{
			"maximum cpu usage per Container is 1, but limit is 1500m"}},
		{"each container", bounded, []corev1.Container{container("a", cpu("50m"), cpu("1")), container("b", cpu("1"), cpu("2"))}, []string{
			"minimum cpu usage per Container is 100m, but request is 50m",
			"maximum cpu usage per Container is 1, but limit is 2"}},
		{"exactly the ratio", inRatio, []corev1.Container{container("a", cpu("100m"), cpu("200m"))}, nil},
		{"over the ratio", inRatio, []corev1.Container{container("a", cpu("100m"), cpu("250m"))}, []string{
			"cpu max limit to request ratio per Container is 2, but provided ratio is 2.500000"}},
		{"a ratio of nothing", inRatio, []corev1.Container{container("a", nil, cpu("250m"))}, []string{
			"cpu max limit to request ratio per Container is 2, but no request is specified or request is 0"}},
		{"all containers together", whole, []corev1.Container{container("a", nil, cpu("600m")), container("b", nil, cpu("600m"))}, []string{
			"maximum cpu usage per Pod is 1, but limit is 1200m"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			var got []string
			for _, err := range limit.Check(limitRange(test.item), &corev1.Pod{Spec: corev1.PodSpec{Containers: test.containers}}) {
				got = append(got, err.Error())
			}
			if !slices.Equal(got, test.want) {
				t.Errorf("got  %q\nwant %q", got, test.want)
			}
		})
	}
}

func TestCheckClaim(t *testing.T) {
	gi := func(n string) corev1.ResourceList {
		return corev1.ResourceList{corev1.ResourceStorage: resource.MustParse(n)}
	}
	lr := &corev1.LimitRange{Spec: corev1.LimitRangeSpec{Limits: []corev1.LimitRangeItem{{Type: corev1.LimitTypePersistentVolumeClaim, Min: gi("1Gi"), Max: gi("4Gi")}}}}
	for size, want := range map[string]string{
		"2Gi": "[]",
		"1Mi": "[minimum storage usage per PersistentVolumeClaim is 1Gi, but request is 1Mi]",
		"5Gi": "[maximum storage usage per PersistentVolumeClaim is 4Gi, but request is 5Gi]",
	} {
		claim := &corev1.PersistentVolumeClaim{Spec: corev1.PersistentVolumeClaimSpec{Resources: corev1.VolumeResourceRequirements{Requests: gi(size)}}}
		if got := fmt.Sprint(limit.CheckClaim(lr, claim)); got != want {
			t.Errorf("%s gives %s, want %s", size, got, want)
		}
	}
}

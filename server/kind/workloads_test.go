package kind

import (
	"slices"
	"strings"
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	policyv1 "k8s.io/api/policy/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
)

func TestReplicationController(t *testing.T) {
	type controller = *corev1.ReplicationController
	base := func() controller {
		d := baseDeployment()
		return &corev1.ReplicationController{Spec: corev1.ReplicationControllerSpec{Template: &d.Spec.Template}}
	}
	checkChanges(t, ReplicationController, base, []change[controller]{
		{"no selector", func(rc controller) { rc.Spec.Selector = nil }, []string{"spec.selector" + isRequired}},
		{"no template", func(rc controller) { rc.Spec.Template = nil }, []string{"spec.template" + isRequired}},
		{"replicas", func(rc controller) { rc.Spec.Replicas = pointsTo(int32(-1)) }, []string{"spec.replicas" + isInvalid}},
		{"other labels", func(rc controller) { rc.Spec.Selector = map[string]string{"a": "b"} }, []string{"spec.template.metadata.labels" + isInvalid}},
		{"restarts", func(rc controller) { rc.Spec.Template.Spec.RestartPolicy = "Never" }, []string{"spec.template.spec.restartPolicy" + isNotSupported}},
	})
	rc := base()
	ReplicationController.Default(rc)
	if rc.Spec.Selector["app"] != "web" || rc.Labels["app"] != "web" || *rc.Spec.Replicas != 1 {
		t.Errorf("got %+v", rc)
	}
	if _, _, selector := ReplicationController.Scale.Replicas(rc); selector != "app=web" {
		t.Errorf("scales %s", selector)
	}
	if cells := printed(ReplicationController.Row(rc)); strings.Join(cells[1:4], " ") != "1 0 0" || cells[7] != "app=web" {
		t.Errorf("got %q", cells)
	}
}

func baseStatefulSet() *appsv1.StatefulSet {
	d := baseDeployment()
	return &appsv1.StatefulSet{Spec: appsv1.StatefulSetSpec{Selector: d.Spec.Selector, Template: d.Spec.Template, ServiceName: "web"}}
}

func TestStatefulSet(t *testing.T) {
	type set = *appsv1.StatefulSet
	checkChanges(t, StatefulSet, baseStatefulSet, []change[set]{
		{"management", func(s set) { s.Spec.PodManagementPolicy = "Random" }, []string{"spec.podManagementPolicy" + isInvalid}},
		{"strategy", func(s set) { s.Spec.UpdateStrategy = appsv1.StatefulSetUpdateStrategy{Type: "Random"} }, []string{"spec.updateStrategy" + isInvalid}},
		{"rolling on delete", func(s set) { s.Spec.UpdateStrategy.Type = "OnDelete" }, []string{"spec.updateStrategy.rollingUpdate" + isInvalid}},
		{"partition", func(s set) { s.Spec.UpdateStrategy.RollingUpdate.Partition = pointsTo(int32(-1)) }, []string{"spec.updateStrategy.rollingUpdate.partition" + isInvalid}},
		{"none unavailable", func(s set) { s.Spec.UpdateStrategy.RollingUpdate.MaxUnavailable = pointsTo(intstr.Parse("0")) },
			[]string{"spec.updateStrategy.rollingUpdate.maxUnavailable" + isInvalid}},
		{"retention", func(s set) { s.Spec.PersistentVolumeClaimRetentionPolicy.WhenScaled = "Keep" }, []string{"spec.persistentVolumeClaimRetentionPolicy.whenScaled" + isNotSupported}},
		{"ordinals", func(s set) { s.Spec.Ordinals = &appsv1.StatefulSetOrdinals{Start: -1} }, []string{"spec.ordinals.start" + isInvalid}},
		{"names it gives itself", func(s set) { s.Spec.Template.Spec.Hostname = "A b" }, nil},
		{"deadline", func(s set) { s.Spec.Template.Spec.ActiveDeadlineSeconds = pointsTo(int64(1)) }, []string{"spec.template.spec.activeDeadlineSeconds" + isForbidden}},
		{"no volume", func(s set) {
			s.Spec.Template.Spec.Containers[0].VolumeMounts = []corev1.VolumeMount{{Name: "data", MountPath: "/data"}}
		}, []string{"spec.template.spec.containers[0].volumeMounts[0].name" + isNotFound}},
	})
	checkUpdates(t, StatefulSet, baseStatefulSet, []change[set]{
		{"replicas, template, strategy", func(s set) {
			s.Spec.Replicas, s.Spec.Template.Spec.Containers[0].Image, s.Spec.UpdateStrategy.Type = pointsTo(int32(9)), "web:2", "OnDelete"
		}, nil},
		{"service", func(s set) { s.Spec.ServiceName = "x" }, []string{"spec.serviceName" + isInvalid}},
		{"claims", func(s set) { s.Spec.VolumeClaimTemplates = []corev1.PersistentVolumeClaim{{}} }, []string{"spec.volumeClaimTemplates" + isInvalid}},
		{"management", func(s set) { s.Spec.PodManagementPolicy = "Parallel" }, []string{"spec.podManagementPolicy" + isInvalid}},
	})
	s := baseStatefulSet()
	s.Spec.VolumeClaimTemplates = []corev1.PersistentVolumeClaim{{ObjectMeta: metav1.ObjectMeta{Name: "data"}}}
	s.Spec.Template.Spec.Volumes = []corev1.Volume{{Name: "data"}, {Name: "other"}}
	s.Spec.Template.Spec.Containers[0].VolumeMounts = []corev1.VolumeMount{{Name: "data", MountPath: "/data"}}
	StatefulSet.Default(s)
	if errs := StatefulSet.Validate(s); len(errs) > 0 || len(claimVolumes(&s.Spec)) != 2 || s.Spec.VolumeClaimTemplates[0].Kind != "PersistentVolumeClaim" {
		t.Errorf("got %v, %+v", errs, s.Spec.VolumeClaimTemplates)
	}
}

func TestDaemonSet(t *testing.T) {
	type set = *appsv1.DaemonSet
	base := func() set {
		d := baseDeployment()
		return &appsv1.DaemonSet{Spec: appsv1.DaemonSetSpec{Selector: d.Spec.Selector, Template: d.Spec.Template}}
	}
	rolling := func(unavailable, surge string) func(set) {
		return func(ds set) {
			ds.Spec.UpdateStrategy.RollingUpdate = &appsv1.RollingUpdateDaemonSet{
				MaxUnavailable: pointsTo(intstr.Parse(unavailable)), MaxSurge: pointsTo(intstr.Parse(surge)),
			}
		}
	}
	at := "spec.updateStrategy.rollingUpdate"
	checkChanges(t, DaemonSet, base, []change[set]{
		{"surge", rolling("0", "50%"), nil},
		{"both", rolling("1", "1"), []string{at + ".maxSurge" + isInvalid}},
		{"neither", rolling("0", "0%"), []string{at + ".maxUnavailable" + isRequired}},
		{"more than all", rolling("0", "101%"), []string{at + ".maxSurge" + isInvalid}},
		{"strategy", func(ds set) { ds.Spec.UpdateStrategy.Type = "x" }, []string{"spec.updateStrategy" + isNotSupported}},
		{"restarts", func(ds set) { ds.Spec.Template.Spec.RestartPolicy = "Never" }, []string{"spec.template.spec.restartPolicy" + isNotSupported}},
	})
	old := base()
	DaemonSet.PrepareCreate(old)
	updated := old.DeepCopy()
	updated.Spec.Template.Spec.Containers[0].Image = "web:2"
	updated.Annotations[appsv1.DeprecatedTemplateGeneration] = "77"
	if DaemonSet.PrepareUpdate(updated, old); updated.Annotations[appsv1.DeprecatedTemplateGeneration] != "2" || updated.Generation != 2 {
		t.Errorf("got %+v", updated.ObjectMeta)
	}
}

func TestPodDisruptionBudget(t *testing.T) {
	type budget = *policyv1.PodDisruptionBudget
	base := func() budget {
		return &policyv1.PodDisruptionBudget{Spec: policyv1.PodDisruptionBudgetSpec{
			MinAvailable: pointsTo(intstr.Parse("50%")), Selector: &metav1.LabelSelector{MatchLabels: map[string]string{"app": "web"}},
		}}
	}
	checkChanges(t, PodDisruptionBudget, base, []change[budget]{
		{"both", func(b budget) { b.Spec.MaxUnavailable = pointsTo(intstr.FromInt32(1)) }, []string{"spec" + isInvalid}},
		{"more than all", func(b budget) { b.Spec.MinAvailable = pointsTo(intstr.Parse("150%")) }, []string{"spec.minAvailable" + isInvalid}},
		{"negative", func(b budget) { b.Spec.MinAvailable = pointsTo(intstr.FromInt32(-1)) }, []string{"spec.minAvailable" + isInvalid}},
		{"unhealthy", func(b budget) {
			b.Spec.UnhealthyPodEvictionPolicy = pointsTo(policyv1.UnhealthyPodEvictionPolicyType("x"))
		},
			[]string{"spec.unhealthyPodEvictionPolicy" + isNotSupported}},
		{"selector", func(b budget) { b.Spec.Selector.MatchLabels["a b"] = "" }, []string{"spec.selector.matchLabels" + isInvalid}},
	})
	bad := base()
	bad.Status = policyv1.PodDisruptionBudgetStatus{DisruptionsAllowed: -1, Conditions: []metav1.Condition{{}}}
	if got := causes(PodDisruptionBudget.ValidateStatus(bad, base())); !slices.Contains(got, "status.disruptionsAllowed"+isInvalid) || len(got) < 4 {
		t.Errorf("got %q", got)
	}
	if cells := printed(PodDisruptionBudget.Row(base())); cells[1] != "50%" || cells[2] != "N/A" {
		t.Errorf("got %q", cells)
	}
}

package kind

import (
	"strings"
	"testing"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	coordinationv1 "k8s.io/api/coordination/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
)

func baseDeployment() *appsv1.Deployment {
	return &appsv1.Deployment{Spec: appsv1.DeploymentSpec{
		Selector: &metav1.LabelSelector{MatchLabels: map[string]string{"app": "web"}},
		Template: corev1.PodTemplateSpec{
			ObjectMeta: metav1.ObjectMeta{Labels: map[string]string{"app": "web"}},
			Spec:       corev1.PodSpec{Containers: []corev1.Container{{Name: "web", Image: "web"}}},
		},
	}}
}

func TestValidateDeployment(t *testing.T) {
	type deployment = *appsv1.Deployment
	rolling := func(unavailable, surge string) func(deployment) {
		return func(d deployment) {
			u, s := intstr.Parse(unavailable), intstr.Parse(surge)
			d.Spec.Strategy.RollingUpdate = &appsv1.RollingUpdateDeployment{MaxUnavailable: &u, MaxSurge: &s}
		}
	}
	unavailable := "spec.strategy.rollingUpdate.maxUnavailable"
	checkChanges(t, Deployment, baseDeployment, []change[deployment]{
		{"negative replicas", func(d deployment) { d.Spec.Replicas = pointsTo(int32(-1)) }, []string{"spec.replicas" + isInvalid}},
		{"no selector", func(d deployment) { d.Spec.Selector = nil }, []string{"spec.selector" + isRequired, "spec.template.metadata.labels" + isInvalid}},
		{"empty selector", func(d deployment) { d.Spec.Selector = &metav1.LabelSelector{} }, []string{"spec.selector" + isInvalid}},
		{"other labels", func(d deployment) { d.Spec.Template.Labels["app"] = "x" }, []string{"spec.template.metadata.labels" + isInvalid}},
		{"restart policy", func(d deployment) { d.Spec.Template.Spec.RestartPolicy = "Never" }, []string{"spec.template.spec.restartPolicy" + isNotSupported}},
		{"deadline", func(d deployment) { d.Spec.Template.Spec.ActiveDeadlineSeconds = pointsTo(int64(1)) }, []string{"spec.template.spec.activeDeadlineSeconds" + isForbidden}},
		{"template's image", func(d deployment) { d.Spec.Template.Spec.Containers[0].Image = "" }, []string{"spec.template.spec.containers[0].image" + isRequired}},
		{"strategy", func(d deployment) { d.Spec.Strategy.Type = "Rolling" }, []string{"spec.strategy.type" + isNotSupported}},
		{"recreate rolling", func(d deployment) { d.Spec.Strategy.Type = "Recreate" }, []string{"spec.strategy.rollingUpdate" + isForbidden}},
		{"nothing may go or come", rolling("0", "0%"), []string{unavailable + isInvalid}},
		{"one may come", rolling("0", "1"), nil},
		{"more than all", rolling("101%", "1"), []string{unavailable + isInvalid}},
		{"no percent", rolling("x", "1"), []string{unavailable + isInvalid}},
		{"slow to be ready", func(d deployment) { d.Spec.MinReadySeconds = 600 }, []string{"spec.progressDeadlineSeconds" + isInvalid}},
	})
	checkUpdates(t, Deployment, baseDeployment, []change[deployment]{
		{"image", func(d deployment) { d.Spec.Template.Spec.Containers[0].Image = "web:2" }, nil},
		{"selector", func(d deployment) { d.Spec.Selector.MatchLabels["app"] = "x" }, []string{"spec.selector" + isInvalid}},
	})
}

func TestWorkloadStatus(t *testing.T) {
	good := &appsv1.Deployment{Status: appsv1.DeploymentStatus{Replicas: 3, UpdatedReplicas: 2, ReadyReplicas: 2, AvailableReplicas: 1, CollisionCount: pointsTo(int32(1))}}
	if errs := Deployment.ValidateStatus(good, good); len(errs) > 0 {
		t.Errorf("refused: %v", errs)
	}
	bad := good.DeepCopy()
	bad.Status.AvailableReplicas, bad.Status.CollisionCount = 4, nil
	if got := strings.Join(causes(Deployment.ValidateStatus(bad, good)), " "); strings.Count(got, "availableReplicas") != 2 || strings.Count(got, "collisionCount") != 1 {
		t.Errorf("got %s", got)
	}
	rs := &appsv1.ReplicaSet{Status: appsv1.ReplicaSetStatus{Replicas: 1, ReadyReplicas: 2}}
	if got := causes(ReplicaSet.ValidateStatus(rs, rs)); len(got) != 1 || got[0] != "status.readyReplicas"+isInvalid {
		t.Errorf("got %v", got)
	}
}

func TestValidateReplicaSet(t *testing.T) {
	base := func() *appsv1.ReplicaSet {
		d := baseDeployment()
		return &appsv1.ReplicaSet{Spec: appsv1.ReplicaSetSpec{Selector: d.Spec.Selector, Template: d.Spec.Template}}
	}
	checkChanges(t, ReplicaSet, base, []change[*appsv1.ReplicaSet]{
		{"no selector", func(rs *appsv1.ReplicaSet) { rs.Spec.Selector = nil }, []string{"spec.selector" + isRequired, "spec.template.metadata.labels" + isInvalid}},
		{"other labels", func(rs *appsv1.ReplicaSet) { rs.Spec.Template.Labels = nil }, []string{"spec.template.metadata.labels" + isInvalid}},
	})
}

func TestValidateConfigMap(t *testing.T) {
	type configMap = *corev1.ConfigMap
	base := func() configMap { return &corev1.ConfigMap{Data: map[string]string{"a": "1"}} }
	frozen := func() configMap {
		cm := base()
		cm.Immutable = pointsTo(true)
		return cm
	}
	checkChanges(t, ConfigMap, base, []change[configMap]{
		{"key", func(cm configMap) { cm.Data["a b"] = "" }, []string{"data[a b]" + isInvalid}},
		{"key twice", func(cm configMap) { cm.BinaryData = map[string][]byte{"a": nil} }, []string{"data[a]" + isInvalid}},
		{"large", func(cm configMap) { cm.Data["b"] = strings.Repeat("x", maxDataBytes) }, []string{"[]" + isTooLong}},
	})
	checkUpdates(t, ConfigMap, frozen, []change[configMap]{
		{"labels", func(cm configMap) { cm.Labels = map[string]string{"a": "b"} }, nil},
		{"data", func(cm configMap) { cm.Data["a"] = "2" }, []string{"data" + isForbidden}},
		{"thaw", func(cm configMap) { cm.Immutable = nil }, []string{"immutable" + isForbidden}},
	})
}

func TestValidateSecret(t *testing.T) {
	type secret = *corev1.Secret
	base := func() secret { return &corev1.Secret{Data: map[string][]byte{"a": nil}} }
	of := func(kind corev1.SecretType) func(secret) { return func(s secret) { s.Type = kind } }
	checkChanges(t, Secret, base, []change[secret]{
		{"own type", of("example.com/mine"), nil},
		{"token", of(corev1.SecretTypeServiceAccountToken), []string{"metadata.annotations[kubernetes.io/service-account.name]" + isRequired}},
		{"docker", of(corev1.SecretTypeDockerConfigJson), []string{"data[.dockerconfigjson]" + isRequired}},
		{"docker, no JSON", func(s secret) {
			s.Type, s.Data = corev1.SecretTypeDockerConfigJson, map[string][]byte{".dockerconfigjson": []byte("x")}
		}, []string{"data[.dockerconfigjson]" + isInvalid}},
		{"basic", of(corev1.SecretTypeBasicAuth), []string{"data[username]" + isRequired, "data[password]" + isRequired}},
		{"ssh", of(corev1.SecretTypeSSHAuth), []string{"data[ssh-privatekey]" + isRequired}},
		{"tls", of(corev1.SecretTypeTLS), []string{"data[tls.crt]" + isRequired, "data[tls.key]" + isRequired}},
		{"large", func(s secret) { s.Data["b"] = make([]byte, maxDataBytes+1) }, []string{"data" + isTooLong}},
	})
	checkUpdates(t, Secret, base, []change[secret]{{"type", of("x"), []string{"type" + isInvalid}}})
	frozen := func() secret {
		s := base()
		s.Immutable = pointsTo(true)
		return s
	}
	checkUpdates(t, Secret, frozen, []change[secret]{
		{"labels of an immutable one", func(s secret) { s.Labels = map[string]string{"a": "b"} }, nil},
		{"data of an immutable one", func(s secret) { s.Data["a"] = []byte("2") }, []string{"data" + isForbidden}},
		{"thaw", func(s secret) { s.Immutable = nil }, []string{"immutable" + isForbidden}},
	})
}

func TestValidateEvent(t *testing.T) {
	type event = *corev1.Event
	base := func() event {
		return &corev1.Event{ObjectMeta: metav1.ObjectMeta{Namespace: "a"}, InvolvedObject: corev1.ObjectReference{Namespace: "a"}}
	}
	recent := func(e event) { e.EventTime = metav1.NewMicroTime(time.Now()) }
	checkChanges(t, Event, base, []change[event]{
		{"elsewhere", func(e event) { e.InvolvedObject.Namespace = "b" }, []string{"involvedObject.namespace" + isInvalid}},
		{"of a node", func(e event) { e.Namespace, e.InvolvedObject.Namespace = "default", "" }, nil},
		{"of a node, elsewhere", func(e event) { e.InvolvedObject.Namespace = "" }, []string{"involvedObject.namespace" + isInvalid}},
		{"by nobody", recent, []string{"reportingComponent" + isRequired, "reportingComponent" + isInvalid, "reportingComponent" + isInvalid, "reportingInstance" + isRequired, "action" + isRequired, "reason" + isRequired}},
		{"long", func(e event) {
			recent(e)
			e.ReportingController, e.ReportingInstance, e.Action, e.Reason, e.Message = "a", "b", "c", "d", strings.Repeat("x", 1025)
		}, []string{"message" + isInvalid}},
	})
}

func TestValidateLease(t *testing.T) {
	type lease = *coordinationv1.Lease
	base := func() lease { return &coordinationv1.Lease{} }
	checkChanges(t, Lease, base, []change[lease]{
		{"no time", func(l lease) { l.Spec.LeaseDurationSeconds = pointsTo(int32(0)) }, []string{"spec.leaseDurationSeconds" + isInvalid}},
		{"transitions", func(l lease) { l.Spec.LeaseTransitions = pointsTo(int32(-1)) }, []string{"spec.leaseTransitions" + isInvalid}},
	})
}

func TestValidateNode(t *testing.T) {
	type node = *corev1.Node
	base := func() node {
		return &corev1.Node{Spec: corev1.NodeSpec{PodCIDR: "10.42.0.0/24", Taints: []corev1.Taint{{Key: "a", Effect: corev1.TaintEffectNoSchedule}}}}
	}
	taint := func(t corev1.Taint) func(node) {
		return func(n node) { n.Spec.Taints = append(n.Spec.Taints, t) }
	}
	checkChanges(t, Node, base, []change[node]{
		{"same taint", taint(corev1.Taint{Key: "a", Value: "b", Effect: corev1.TaintEffectNoSchedule}), []string{"spec.taints[1]" + isDuplicate}},
		{"other effect", taint(corev1.Taint{Key: "a", Effect: corev1.TaintEffectNoExecute}), nil},
		{"no effect", taint(corev1.Taint{Key: "b"}), []string{"spec.taints[1].effect" + isRequired}},
		{"no key", taint(corev1.Taint{Effect: corev1.TaintEffectNoExecute}), []string{"spec.taints[1].key" + isInvalid, "spec.taints[1].key" + isInvalid}},
		{"addresses", func(n node) { n.Spec.PodCIDRs = []string{"10.42.0.0"} }, []string{"spec.podCIDRs[0]" + isInvalid}},
		{"half a pod", func(n node) { n.Status.Capacity = corev1.ResourceList{"example.com/gpu": resource.MustParse("500m")} }, []string{"status.capacity[example.com/gpu]" + isInvalid}},
	})
	checkUpdates(t, Node, base, []change[node]{
		{"unschedulable", func(n node) { n.Spec.Unschedulable = true }, nil},
		{"other addresses", func(n node) { n.Spec.PodCIDRs = []string{"10.42.1.0/24"} }, []string{"spec.podCIDRs" + isForbidden}},
		{"provider", func(n node) { n.Spec.ProviderID = "a" }, nil},
	})
}

func TestNamespaceStatus(t *testing.T) {
	ns := &corev1.Namespace{Status: corev1.NamespaceStatus{Phase: corev1.NamespaceTerminating}}
	if got := causes(Namespace.ValidateStatus(ns, ns)); len(got) != 1 || got[0] != "status.phase"+isInvalid {
		t.Errorf("terminating though not deleted: %v", got)
	}
	ns.DeletionTimestamp = &metav1.Time{Time: now}
	if got := Namespace.ValidateStatus(ns, ns); len(got) != 0 {
		t.Errorf("terminating when deleted: %v", got)
	}
}

func TestNamespaceNames(t *testing.T) {
	for name, good := range map[string]bool{"a-b": true, "a.b": false, "A": false, "": false} {
		if got := len(Namespace.ValidateName(name, false)) == 0; got != good {
			t.Errorf("%q: %v, want %v", name, got, good)
		}
	}
}

package kind

import (
	"strings"
	"testing"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	coordinationv1 "k8s.io/api/coordination/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
)

func TestRows(t *testing.T) {
	meta := metav1.ObjectMeta{Name: "a", CreationTimestamp: ago(3 * time.Hour)}
	node := &corev1.Node{ObjectMeta: meta, Spec: corev1.NodeSpec{Unschedulable: true}, Status: corev1.NodeStatus{
		Conditions: []corev1.NodeCondition{{Type: corev1.NodeReady, Status: corev1.ConditionTrue}},
		Addresses:  []corev1.NodeAddress{{Type: corev1.NodeInternalIP, Address: "10.0.0.1"}},
		NodeInfo:   corev1.NodeSystemInfo{KubeletVersion: "v1.37.2", OSImage: "Debian", ContainerRuntimeVersion: "docker://20.10.24"},
	}}
	node.Labels = map[string]string{"node-role.kubernetes.io/worker": "", "node-role.kubernetes.io/control-plane": ""}
	silent := &corev1.Node{ObjectMeta: meta, Status: corev1.NodeStatus{Conditions: []corev1.NodeCondition{{Type: corev1.NodeReady, Status: corev1.ConditionUnknown}}}}
	selector := &metav1.LabelSelector{MatchLabels: map[string]string{"app": "a"}}
	template := corev1.PodTemplateSpec{Spec: corev1.PodSpec{Containers: []corev1.Container{{Name: "c", Image: "i"}, {Name: "d", Image: "j"}}}}
	object := corev1.ObjectReference{Kind: "Pod", Name: "web", FieldPath: "spec.containers{web}"}
	tests := []struct {
		name string
		kind *Kind
		obj  runtime.Object
		want string
	}{
		{"namespace", Namespace, &corev1.Namespace{ObjectMeta: meta, Status: corev1.NamespaceStatus{Phase: "Active"}}, "a|Active|3h"},
		{"config map", ConfigMap, &corev1.ConfigMap{ObjectMeta: meta, Data: map[string]string{"x": ""}, BinaryData: map[string][]byte{"y": nil}}, "a|2|3h"},
		{"secret", Secret, &corev1.Secret{ObjectMeta: meta, Type: "Opaque", Data: map[string][]byte{"x": nil}}, "a|Opaque|1|3h"},
		{"service account", ServiceAccount, &corev1.ServiceAccount{ObjectMeta: meta}, "a|0|3h"},
		{"lease", Lease, &coordinationv1.Lease{ObjectMeta: meta, Spec: coordinationv1.LeaseSpec{HolderIdentity: pointsTo("me")}}, "a|me|3h"},
		{"node", Node, node, "a|Ready,SchedulingDisabled|control-plane,worker|3h|v1.37.2|10.0.0.1|<none>|Debian|<unknown>|docker://20.10.24"},
		{"silent node", Node, silent, "a|NotReady|<none>|3h||<none>|<none>|<unknown>|<unknown>|<unknown>"},
		{"new node", Node, &corev1.Node{}, "|Unknown|<none>|<unknown>||<none>|<none>|<unknown>|<unknown>|<unknown>"},
		{"deployment", Deployment, &appsv1.Deployment{
			ObjectMeta: meta, Spec: appsv1.DeploymentSpec{Replicas: pointsTo(int32(3)), Selector: selector, Template: template},
			Status: appsv1.DeploymentStatus{ReadyReplicas: 1, UpdatedReplicas: 2, AvailableReplicas: 1},
		}, "a|1/3|2|1|3h|c,d|i,j|app=a"},
		{"replica set", ReplicaSet, &appsv1.ReplicaSet{
			ObjectMeta: meta, Spec: appsv1.ReplicaSetSpec{Replicas: pointsTo(int32(3)), Selector: selector, Template: template},
			Status: appsv1.ReplicaSetStatus{Replicas: 2, ReadyReplicas: 1},
		}, "a|3|2|1|3h|c,d|i,j|app=a"},
		{"event once", Event, &corev1.Event{
			ObjectMeta: meta, InvolvedObject: object, Type: "Normal", Reason: "Pulled", Message: "done\n", Count: 1,
			FirstTimestamp: ago(time.Minute), LastTimestamp: ago(time.Minute), Source: corev1.EventSource{Component: "agent", Host: "n"},
		}, "60s|Normal|Pulled|pod/web|spec.containers{web}|agent, n|done|60s|1|a"},
		{"event often", Event, &corev1.Event{
			ObjectMeta: meta, InvolvedObject: object, Type: "Warning", Reason: "BackOff", Count: 3,
			FirstTimestamp: ago(2 * time.Minute), LastTimestamp: ago(5 * time.Second), ReportingController: "agent",
		}, "5s (x3 over 2m)|Warning|BackOff|pod/web|spec.containers{web}|agent||2m|3|a"},
		{"event series", Event, &corev1.Event{
			ObjectMeta: meta, InvolvedObject: object, Type: "Warning", Reason: "BackOff", EventTime: metav1.MicroTime(ago(2 * time.Minute)),
			Series: &corev1.EventSeries{Count: 4, LastObservedTime: metav1.MicroTime(ago(time.Second))}, ReportingController: "agent", ReportingInstance: "n",
		}, "1s (x4 over 2m)|Warning|BackOff|pod/web|spec.containers{web}|agent, n||2m|4|a"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := strings.Join(printed(tt.kind.Row(tt.obj)), "|"); got != tt.want {
				t.Errorf("got  %s\nwant %s", got, tt.want)
			}
		})
	}
}

func TestFields(t *testing.T) {
	p := basePod()
	p.Spec.NodeName, p.Status.Phase, p.Status.PodIPs = "n", "Running", []corev1.PodIP{{IP: "10.42.0.2"}}
	got := Pod.Fields(p)
	for label, want := range map[string]string{
		"spec.nodeName": "n", "status.phase": "Running", "status.podIP": "10.42.0.2", "spec.hostNetwork": "false",
	} {
		if got[label] != want {
			t.Errorf("%s is %q, want %q", label, got[label], want)
		}
	}
}

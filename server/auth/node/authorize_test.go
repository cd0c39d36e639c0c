package node

import (
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"leme/server/auth"
)

var agent = auth.User{Name: "system:node:n1", Groups: []string{auth.GroupNodes, auth.GroupAuthenticated}}

// web is a pod that names something in each way there is.
func web() *corev1.Pod {
	reference := func(name string) corev1.LocalObjectReference { return corev1.LocalObjectReference{Name: name} }
	env := corev1.Container{
		Env: []corev1.EnvVar{
			{Name: "plain", Value: "x"},
			{Name: "secret", ValueFrom: &corev1.EnvVarSource{SecretKeyRef: &corev1.SecretKeySelector{LocalObjectReference: reference("env-secret")}}},
			{Name: "map", ValueFrom: &corev1.EnvVarSource{ConfigMapKeyRef: &corev1.ConfigMapKeySelector{LocalObjectReference: reference("env-map")}}},
		},
		EnvFrom: []corev1.EnvFromSource{
			{SecretRef: &corev1.SecretEnvSource{LocalObjectReference: reference("from-secret")}},
			{ConfigMapRef: &corev1.ConfigMapEnvSource{LocalObjectReference: reference("from-map")}},
		},
	}
	return &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Namespace: "default", Name: "web"}, Spec: corev1.PodSpec{
		NodeName: "n1", ServiceAccountName: "runner", ImagePullSecrets: []corev1.LocalObjectReference{reference("pull")},
		InitContainers: []corev1.Container{{EnvFrom: []corev1.EnvFromSource{{SecretRef: &corev1.SecretEnvSource{LocalObjectReference: reference("init-secret")}}}}},
		Containers:     []corev1.Container{env},
		Volumes: []corev1.Volume{
			{VolumeSource: corev1.VolumeSource{Secret: &corev1.SecretVolumeSource{SecretName: "volume-secret"}}},
			{VolumeSource: corev1.VolumeSource{ConfigMap: &corev1.ConfigMapVolumeSource{LocalObjectReference: reference("volume-map")}}},
			{VolumeSource: corev1.VolumeSource{Projected: &corev1.ProjectedVolumeSource{Sources: []corev1.VolumeProjection{
				{Secret: &corev1.SecretProjection{LocalObjectReference: reference("projected-secret")}},
				{ConfigMap: &corev1.ConfigMapProjection{LocalObjectReference: reference("projected-map")}},
			}}}},
			{VolumeSource: corev1.VolumeSource{PersistentVolumeClaim: &corev1.PersistentVolumeClaimVolumeSource{ClaimName: "data"}}},
		},
	}}
}

func graphOf(pods ...*corev1.Pod) *Graph {
	g := NewGraph()
	for _, p := range pods {
		at := place{p.Namespace, p.Name}
		g.set(at, &pod{p.Spec.NodeName, append(objectsOf(p), object{"pods", at})})
	}
	return g
}

func TestAgentsSeeWhatTheirPodsName(t *testing.T) {
	other := web()
	other.Name, other.Spec.NodeName = "other", "n2"
	other.Spec.ServiceAccountName = "others"
	z := Authorizer{graphOf(web(), other)}
	z.Graph.setClaim("pv-1", &corev1.ObjectReference{Namespace: "default", Name: "data"})
	z.Graph.setClaim("pv-2", &corev1.ObjectReference{Namespace: "prod", Name: "data"})
	for resource, names := range map[string]string{
		"secrets":                "env-secret from-secret pull init-secret volume-secret projected-secret",
		"configmaps":             "env-map from-map volume-map projected-map",
		"serviceaccounts":        "runner",
		"persistentvolumeclaims": "data",
		"pods":                   "web",
	} {
		for _, name := range strings.Fields(names) {
			if allowed, reason := z.Authorize(agent, auth.Attributes{Verb: "get", Resource: resource, Namespace: "default", Name: name}); !allowed {
				t.Errorf("%s %s: %s", resource, name, reason)
			}
		}
	}
	for _, tt := range []struct {
		name string
		ask  auth.Attributes
		want string // why not; empty: allowed
	}{
		{"watching one", auth.Attributes{Verb: "watch", Resource: "secrets", Namespace: "default", Name: "pull"}, ""},
		{"watching all", auth.Attributes{Verb: "watch", Resource: "secrets", Namespace: "default"}, "No Object name found"},
		{"in every namespace", auth.Attributes{Verb: "list", Resource: "secrets"}, "can only read namespaced object of this type"},
		{"in another namespace", auth.Attributes{Verb: "get", Resource: "secrets", Namespace: "prod", Name: "pull"}, "no relationship found between node 'n1' and this object"},
		{"a secret that none names", auth.Attributes{Verb: "get", Resource: "secrets", Namespace: "default", Name: "x"}, "no relationship found between node 'n1' and this object"},
		{"a secret of a map's name", auth.Attributes{Verb: "get", Resource: "secrets", Namespace: "default", Name: "env-map"}, "no relationship found between node 'n1' and this object"},
		{"changing a secret", auth.Attributes{Verb: "update", Resource: "secrets", Namespace: "default", Name: "pull"}, "can only read resources of this type"},
		{"a token", auth.Attributes{Verb: "create", Resource: "serviceaccounts", Subresource: "token", Namespace: "default", Name: "runner"}, ""},
		{"another's token", auth.Attributes{Verb: "create", Resource: "serviceaccounts", Subresource: "token", Namespace: "default", Name: "others"}, "no relationship found between node 'n1' and this object"},
		{"its claim's volume", auth.Attributes{Verb: "get", Resource: "persistentvolumes", Name: "pv-1"}, ""},
		{"another claim's volume", auth.Attributes{Verb: "get", Resource: "persistentvolumes", Name: "pv-2"}, "no relationship found between node 'n1' and this object"},
		{"a volume without a claim", auth.Attributes{Verb: "get", Resource: "persistentvolumes", Name: "pv-3"}, "no relationship found between node 'n1' and this object"},
		{"all volumes", auth.Attributes{Verb: "list", Resource: "persistentvolumes"}, "can only get individual resources of this type"},
		{"another node's pod", auth.Attributes{Verb: "get", Resource: "pods", Namespace: "default", Name: "other"}, "no relationship found between node 'n1' and this object"},
		{"all pods", auth.Attributes{Verb: "list", Resource: "pods"}, "can only list/watch pods with spec.nodeName field selector"},
		{"its pods", auth.Attributes{Verb: "watch", Resource: "pods", FieldSelector: "spec.nodeName=n1"}, ""},
		{"another's pods", auth.Attributes{Verb: "watch", Resource: "pods", FieldSelector: "spec.nodeName=n2"}, "can only list/watch pods with spec.nodeName field selector"},
		{"others' pods", auth.Attributes{Verb: "watch", Resource: "pods", FieldSelector: "spec.nodeName!=n1"}, "can only list/watch pods with spec.nodeName field selector"},
		{"its node", auth.Attributes{Verb: "watch", Resource: "nodes", Name: "n1"}, ""},
		{"all nodes", auth.Attributes{Verb: "list", Resource: "nodes"}, "node 'n1' cannot read all nodes, only its own Node object"},
		{"another node's status", auth.Attributes{Verb: "patch", Resource: "nodes", Subresource: "status", Name: "n2"}, "node 'n1' cannot modify other nodes, only its own Node object"},
		{"its lease", auth.Attributes{Verb: "update", Group: "coordination.k8s.io", Resource: "leases", Namespace: "kube-node-lease", Name: "n1"}, ""},
		{"another's lease", auth.Attributes{Verb: "update", Group: "coordination.k8s.io", Resource: "leases", Namespace: "kube-node-lease", Name: "n2"}, "can only access node lease with the same name as the requesting node"},
		{"a lock", auth.Attributes{Verb: "update", Group: "coordination.k8s.io", Resource: "leases", Namespace: "kube-system", Name: "n1"}, `can only access leases in the "kube-node-lease" system namespace`},
		{"an event", auth.Attributes{Verb: "create", Resource: "events", Namespace: "default"}, ""},
		{"services", auth.Attributes{Verb: "watch", Resource: "services"}, ""},
		{"an image", auth.ImageAttributes("get", "team/app"), ""},
		{"another registry's image", auth.UpstreamImageAttributes("get", "docker.io/library/nginx"), ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if allowed, reason := z.Authorize(agent, tt.ask); allowed != (tt.want == "") || reason != tt.want {
				t.Errorf("got %v, %s", allowed, reason)
			}
		})
	}
	for name, ask := range map[string]auth.Attributes{
		"deleting its node":  {Verb: "delete", Resource: "nodes", Name: "n1"},
		"a pod's spec":       {Verb: "patch", Resource: "pods", Namespace: "default", Name: "web"},
		"making deployments": {Verb: "create", Group: "apps", Resource: "deployments", Namespace: "default"},
		"pushing an image":   auth.ImageAttributes("update", "app"),
	} {
		if allowed, _ := z.Authorize(agent, ask); allowed {
			t.Errorf("%s is allowed", name)
		}
	}
	if allowed, reason := z.Authorize(auth.User{Name: "jane", Groups: []string{auth.GroupNodes}}, auth.Attributes{Verb: "watch", Resource: "services"}); allowed || reason == "" {
		t.Errorf("no agent's user got %v, %s", allowed, reason)
	}
	if allowed, reason := z.Authorize(auth.User{Name: agent.Name}, auth.Attributes{Verb: "watch", Resource: "services"}); allowed || reason != "" {
		t.Errorf("one outside the group got %v, %s", allowed, reason)
	}
}

func TestGraphForgets(t *testing.T) {
	second := web()
	second.Name = "second"
	g := graphOf(web(), second)
	pull := object{"secrets", place{"default", "pull"}}
	g.set(place{"default", "web"}, nil)
	if !g.has("n1", pull) {
		t.Error("what the second pod names is forgotten with the first")
	}
	g.set(place{"default", "second"}, nil)
	if g.has("n1", pull) || len(g.named)+len(g.pods) > 0 {
		t.Errorf("left: %v", g.named)
	}
}

package kind

import (
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/util/diff"
	"k8s.io/apimachinery/pkg/util/intstr"
	"sigs.k8s.io/yaml"
)

// decode reads an object of a kind as a user would write it.
func decode[P runtime.Object](t *testing.T, k *Kind, text string) P {
	t.Helper()
	obj := k.New()
	if err := yaml.UnmarshalStrict([]byte(text), obj); err != nil {
		t.Fatal(err)
	}
	return obj.(P)
}

func TestDefaults(t *testing.T) {
	const podDefaults = `
  restartPolicy: Always
  dnsPolicy: ClusterFirst
  schedulerName: default-scheduler
  terminationGracePeriodSeconds: 30
  securityContext: {}`
	tests := []struct {
		name        string
		kind        *Kind
		given, want string
	}{
		{"pod", Pod, `
spec:
  containers:
  - name: a
    image: web:1
    ports: [{containerPort: 80}]
    env: [{name: A, valueFrom: {fieldRef: {fieldPath: metadata.name}}}]
    livenessProbe: {httpGet: {port: 80}}
    resources: {limits: {cpu: 100m, memory: 1Gi}, requests: {cpu: 50m}}
    lifecycle: {preStop: {httpGet: {port: 80}}}
  volumes:
  - name: a
  - {name: b, configMap: {name: c}}
  - {name: d, downwardAPI: {items: [{path: x, fieldRef: {fieldPath: metadata.name}}]}}
  - {name: e, projected: {sources: [{serviceAccountToken: {path: t}}]}}
  - {name: f, hostPath: {path: /f}}
`, `
spec:` + podDefaults + `
  enableServiceLinks: true
  containers:
  - name: a
    image: web:1
    imagePullPolicy: IfNotPresent
    terminationMessagePath: /dev/termination-log
    terminationMessagePolicy: File
    ports: [{containerPort: 80, protocol: TCP}]
    env: [{name: A, valueFrom: {fieldRef: {apiVersion: v1, fieldPath: metadata.name}}}]
    livenessProbe: {httpGet: {port: 80, path: /, scheme: HTTP}, timeoutSeconds: 1, periodSeconds: 10, successThreshold: 1, failureThreshold: 3}
    resources: {limits: {cpu: 100m, memory: 1Gi}, requests: {cpu: 50m, memory: 1Gi}}
    lifecycle: {preStop: {httpGet: {port: 80, path: /, scheme: HTTP}}}
  volumes:
  - {name: a, emptyDir: {}}
  - {name: b, configMap: {name: c, defaultMode: 420}}
  - {name: d, downwardAPI: {defaultMode: 420, items: [{path: x, fieldRef: {apiVersion: v1, fieldPath: metadata.name}}]}}
  - {name: e, projected: {defaultMode: 420, sources: [{serviceAccountToken: {path: t, expirationSeconds: 3600}}]}}
  - {name: f, hostPath: {path: /f, type: ""}}
`},
		{"host network", Pod, `
spec: {hostNetwork: true, serviceAccount: me, containers: [{name: a, image: web, ports: [{containerPort: 80}]}]}
`, `
spec:` + podDefaults + `
  enableServiceLinks: true
  hostNetwork: true
  serviceAccount: me
  serviceAccountName: me
  containers:
  - name: a
    image: web
    imagePullPolicy: Always
    terminationMessagePath: /dev/termination-log
    terminationMessagePolicy: File
    ports: [{containerPort: 80, hostPort: 80, protocol: TCP}]
`},
		{"deployment", Deployment, `
spec: {selector: {matchLabels: {a: b}}, template: {spec: {hostNetwork: true, containers: []}}}
`, `
spec:
  replicas: 1
  revisionHistoryLimit: 10
  progressDeadlineSeconds: 600
  strategy: {type: RollingUpdate, rollingUpdate: {maxSurge: 25%, maxUnavailable: 25%}}
  selector: {matchLabels: {a: b}}
  template:
    spec: {hostNetwork: true, containers: [], restartPolicy: Always, dnsPolicy: ClusterFirst, schedulerName: default-scheduler, terminationGracePeriodSeconds: 30, securityContext: {}}
`},
		{"recreate", Deployment, `
spec: {replicas: 0, strategy: {type: Recreate}}
`, `
spec:
  replicas: 0
  revisionHistoryLimit: 10
  progressDeadlineSeconds: 600
  strategy: {type: Recreate}
  template:
    spec: {restartPolicy: Always, dnsPolicy: ClusterFirst, schedulerName: default-scheduler, terminationGracePeriodSeconds: 30, securityContext: {}}
`},
		{"namespace", Namespace, `{metadata: {name: a}}`, `{metadata: {name: a, labels: {kubernetes.io/metadata.name: a}}}`},
		{"secret", Secret, `{stringData: {a: text}}`, `{type: Opaque, data: {a: dGV4dA==}}`},
		{"node", Node, `{spec: {podCIDR: 10.42.0.0/24}, status: {capacity: {cpu: "2"}}}`,
			`{spec: {podCIDR: 10.42.0.0/24, podCIDRs: [10.42.0.0/24]}, status: {capacity: {cpu: "2"}, allocatable: {cpu: "2"}}}`},
		{"service", Service, `
spec: {ports: [{port: 80}], sessionAffinity: ClientIP}
`, `
spec:
  type: ClusterIP
  ports: [{port: 80, targetPort: 80, protocol: TCP}]
  sessionAffinity: ClientIP
  sessionAffinityConfig: {clientIP: {timeoutSeconds: 10800}}
  internalTrafficPolicy: Cluster
`},
		{"load balancer", Service, `
spec: {type: LoadBalancer, ports: [{port: 80, targetPort: http}]}
status: {loadBalancer: {ingress: [{ip: 9.9.9.9}, {hostname: a}]}}
`, `
spec:
  type: LoadBalancer
  ports: [{port: 80, targetPort: http, protocol: TCP}]
  sessionAffinity: None
  externalTrafficPolicy: Cluster
  internalTrafficPolicy: Cluster
  allocateLoadBalancerNodePorts: true
status: {loadBalancer: {ingress: [{ip: 9.9.9.9, ipMode: VIP}, {hostname: a}]}}
`},
		{"another name", Service, `{spec: {type: ExternalName, externalName: a.b}}`,
			`{spec: {type: ExternalName, externalName: a.b, sessionAffinity: None}}`},
		{"endpoints", Endpoints, `{subsets: [{ports: [{port: 80}]}]}`, `{subsets: [{ports: [{port: 80, protocol: TCP}]}]}`},
		{"endpoint slice", EndpointSlice, `{addressType: IPv4, endpoints: [], ports: [{port: 80}]}`,
			`{addressType: IPv4, endpoints: [], ports: [{port: 80, protocol: TCP, name: ""}]}`},
		{"network policy", NetworkPolicy, `{spec: {podSelector: {}, egress: [{ports: [{port: 80}]}]}}`,
			`{spec: {podSelector: {}, egress: [{ports: [{port: 80, protocol: TCP}]}], policyTypes: [Ingress, Egress]}}`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, want := decode[runtime.Object](t, tt.kind, tt.given), decode[runtime.Object](t, tt.kind, tt.want)
			tt.kind.Default(got)
			if !equality.Semantic.DeepEqual(got, want) {
				t.Errorf("-got +want\n%s", diff.Diff(got, want))
			}
			again := got.DeepCopyObject()
			tt.kind.Default(again)
			if !equality.Semantic.DeepEqual(got, again) {
				t.Error("defaulting again changes it again")
			}
		})
	}
}

func TestPullPolicy(t *testing.T) {
	for image, want := range map[string]corev1.PullPolicy{
		"web": corev1.PullAlways, "web:latest": corev1.PullAlways, "web:1": corev1.PullIfNotPresent,
		"registry.example:5000/web": corev1.PullAlways, "registry.example:5000/web:1": corev1.PullIfNotPresent,
		"web@sha256:0000000000000000000000000000000000000000000000000000000000000000":   corev1.PullIfNotPresent,
		"web:1@sha256:0000000000000000000000000000000000000000000000000000000000000000": corev1.PullIfNotPresent,
		"NOT an image": corev1.PullIfNotPresent,
	} {
		if got := defaultPullPolicy(image); got != want {
			t.Errorf("%s: %s, want %s", image, got, want)
		}
	}
}

func TestQOSClass(t *testing.T) {
	list := func(cpu, memory string) corev1.ResourceList {
		return corev1.ResourceList{"cpu": resource.MustParse(cpu), "memory": resource.MustParse(memory)}
	}
	for want, r := range map[corev1.PodQOSClass]corev1.ResourceRequirements{
		corev1.PodQOSBestEffort: {},
		corev1.PodQOSBurstable:  {Requests: list("1", "1Gi"), Limits: list("2", "1Gi")},
		corev1.PodQOSGuaranteed: {Requests: list("1", "1Gi"), Limits: list("1", "1Gi")},
	} {
		p := &corev1.Pod{Spec: corev1.PodSpec{Containers: []corev1.Container{{Resources: r}}}}
		Pod.PrepareCreate(p)
		if p.Status.QOSClass != want || p.Generation != 1 || p.Status.Phase != corev1.PodPending {
			t.Errorf("got %s, generation %d, %s; want %s", p.Status.QOSClass, p.Generation, p.Status.Phase, want)
		}
	}
}

func TestGrace(t *testing.T) {
	bound := corev1.Pod{Spec: corev1.PodSpec{NodeName: "n", TerminationGracePeriodSeconds: pointsTo(int64(30))}}
	done := bound
	done.Status.Phase = corev1.PodSucceeded
	for _, tt := range []struct {
		name      string
		pod       corev1.Pod
		requested *int64
		want      int64
	}{
		{"its own", bound, nil, 30},
		{"asked for", bound, pointsTo(int64(5)), 5},
		{"at once", bound, pointsTo(int64(0)), 0},
		{"negative", bound, pointsTo(int64(-1)), 1},
		{"on no node", corev1.Pod{}, pointsTo(int64(5)), 0},
		{"done", done, nil, 0},
	} {
		if got := Pod.GraceSeconds(&tt.pod, tt.requested); got != tt.want {
			t.Errorf("%s: %d seconds, want %d", tt.name, got, tt.want)
		}
	}
}

func TestWrites(t *testing.T) {
	old := &appsv1.Deployment{
		ObjectMeta: metav1.ObjectMeta{Generation: 4, Labels: map[string]string{"a": "b"}},
		Status:     appsv1.DeploymentStatus{Replicas: 3},
	}
	write := func(prepare func(updated, old runtime.Object), change func(*appsv1.Deployment)) *appsv1.Deployment {
		updated := old.DeepCopy()
		change(updated)
		prepare(updated, old)
		return updated
	}
	got := write(Deployment.PrepareUpdate, func(d *appsv1.Deployment) { d.Status.Replicas, d.Spec.Paused = 9, true })
	if got.Status.Replicas != 3 || got.Generation != 5 || !got.Spec.Paused {
		t.Errorf("an update of spec and status: %+v", got)
	}
	if got = write(Deployment.PrepareUpdate, func(d *appsv1.Deployment) { d.Labels = nil }); got.Generation != 4 {
		t.Errorf("an update of labels makes generation %d", got.Generation)
	}
	got = write(Deployment.PrepareStatus, func(d *appsv1.Deployment) { d.Status.Replicas, d.Spec.Paused, d.Labels = 9, true, nil })
	if got.Status.Replicas != 9 || got.Spec.Paused || got.Labels["a"] != "b" || got.Generation != 4 {
		t.Errorf("a report: %+v", got)
	}
	Deployment.PrepareCreate(got)
	if got.Generation != 1 || got.Status.Replicas != 0 {
		t.Errorf("a new object: %+v", got)
	}
}

func TestScale(t *testing.T) {
	d := &appsv1.Deployment{Spec: appsv1.DeploymentSpec{Selector: &metav1.LabelSelector{MatchLabels: map[string]string{"a": "b"}}}}
	Deployment.Scale.Set(d, 5)
	d.Status.Replicas = 2
	if spec, status, selector := Deployment.Scale.Replicas(d); spec != 5 || status != 2 || selector != "a=b" {
		t.Errorf("%d wanted, %d there, selected by %q", spec, status, selector)
	}
}

func TestCountOrPercent(t *testing.T) {
	for text, want := range map[string]int{"25%": 25, "0%": 0, "x": 0} {
		if got := number(intstr.FromString(text)); got != want {
			t.Errorf("%s is %d, want %d", text, got, want)
		}
	}
}

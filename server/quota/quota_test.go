package quota

import (
	"testing"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

var now = time.Date(2030, 1, 1, 12, 0, 0, 0, time.UTC)

func list(pairs ...string) corev1.ResourceList {
	l := corev1.ResourceList{}
	for i := 0; i < len(pairs); i += 2 {
		l[corev1.ResourceName(pairs[i])] = resource.MustParse(pairs[i+1])
	}
	return l
}

func pod(requests, limits corev1.ResourceList, mutate ...func(*corev1.Pod)) *corev1.Pod {
	p := &corev1.Pod{Spec: corev1.PodSpec{Containers: []corev1.Container{{
		Name: "web", Resources: corev1.ResourceRequirements{Requests: requests, Limits: limits},
	}}}}
	for _, m := range mutate {
		m(p)
	}
	return p
}

func quotaOf(hard, used corev1.ResourceList) *corev1.ResourceQuota {
	return &corev1.ResourceQuota{
		ObjectMeta: metav1.ObjectMeta{Name: "q"},
		Spec:       corev1.ResourceQuotaSpec{Hard: hard},
		Status:     corev1.ResourceQuotaStatus{Hard: hard, Used: used},
	}
}

func claim(size, class string) *corev1.PersistentVolumeClaim {
	return &corev1.PersistentVolumeClaim{Spec: corev1.PersistentVolumeClaimSpec{
		StorageClassName: &class, Resources: corev1.VolumeResourceRequirements{Requests: list("storage", size)},
	}}
}

func service(of corev1.ServiceType, ports int) *corev1.Service {
	return &corev1.Service{Spec: corev1.ServiceSpec{Type: of, Ports: make([]corev1.ServicePort, ports)}}
}

func TestClaimScope(t *testing.T) {
	gold := claim("1Gi", "fast")
	gold.Spec.VolumeAttributesClassName = new("gold")
	for _, test := range []struct {
		op     corev1.ScopeSelectorOperator
		values []string
		want   bool
	}{
		{corev1.ScopeSelectorOpIn, []string{"gold"}, true},
		{corev1.ScopeSelectorOpIn, []string{"silver"}, false},
		{corev1.ScopeSelectorOpExists, nil, true},
		{corev1.ScopeSelectorOpDoesNotExist, nil, false},
	} {
		q := quotaOf(list("requests.storage", "1Gi"), nil)
		q.Spec.ScopeSelector = &corev1.ScopeSelector{MatchExpressions: []corev1.ScopedResourceSelectorRequirement{
			{ScopeName: corev1.ResourceQuotaScopeVolumeAttributesClass, Operator: test.op, Values: test.values}}}
		if got := Concerns(q, claims, gold); got != test.want {
			t.Errorf("%s %v: %t", test.op, test.values, got)
		}
	}
}

func TestCharge(t *testing.T) {
	deployments := schema.GroupResource{Group: "apps", Resource: "deployments"}
	for _, test := range []struct {
		name       string
		hard, used corev1.ResourceList
		gr         schema.GroupResource
		obj        runtime.Object
		want       corev1.ResourceList
		err        string
	}{
		{"a pod", list("pods", "2"), list("pods", "1"), pods, pod(nil, nil), list("pods", "2"), ""},
		{"a pod too many", list("pods", "2", "count/pods", "9"), list("pods", "2", "count/pods", "2"), pods, pod(nil, nil), nil,
			"exceeded quota: q, requested: pods=1, used: pods=2, limited: pods=2"},
		{"cpu", list("requests.cpu", "1", "limits.cpu", "2"), list("requests.cpu", "500m", "limits.cpu", "0"), pods,
			pod(list("cpu", "200m"), list("cpu", "1")), list("requests.cpu", "700m", "limits.cpu", "1"), ""},
		{"too much memory", list("memory", "1Gi"), list("memory", "900Mi"), pods, pod(list("memory", "200Mi"), nil), nil,
			"exceeded quota: q, requested: memory=200Mi, used: memory=900Mi, limited: memory=1Gi"},
		{"cpu unstated", list("requests.cpu", "1", "limits.memory", "1Gi"), list("requests.cpu", "0", "limits.memory", "0"), pods, pod(nil, nil), nil,
			"failed quota: q: must specify limits.memory for: web; requests.cpu for: web"},
		{"devices", list("requests.example.com/gpu", "1"), list("requests.example.com/gpu", "1"), pods, pod(list("example.com/gpu", "1"), list("example.com/gpu", "1")), nil,
			"exceeded quota: q, requested: requests.example.com/gpu=1, used: requests.example.com/gpu=1, limited: requests.example.com/gpu=1"},
		{"not yet counted", list("pods", "2"), nil, pods, pod(nil, nil), nil, "status unknown for quota: q, resources: pods"},
		{"any kind", list("count/deployments.apps", "1"), list("count/deployments.apps", "0"), deployments, &appsv1.Deployment{}, list("count/deployments.apps", "1"), ""},
		{"storage", list("requests.storage", "3Gi", "persistentvolumeclaims", "2"), list("requests.storage", "1Gi", "persistentvolumeclaims", "1"), claims, claim("2Gi", "gold"),
			list("requests.storage", "3Gi", "persistentvolumeclaims", "2"), ""},
		{"storage of a class", list("gold"+classSuffix+"requests.storage", "1Gi"), list("gold"+classSuffix+"requests.storage", "0"), claims, claim("2Gi", "gold"), nil,
			"exceeded quota: q, requested: gold.storageclass.storage.k8s.io/requests.storage=2Gi, used: gold.storageclass.storage.k8s.io/requests.storage=0, limited: gold.storageclass.storage.k8s.io/requests.storage=1Gi"},
		{"storage of another class", list("gold"+classSuffix+"persistentvolumeclaims", "0"), list("gold"+classSuffix+"persistentvolumeclaims", "0"), claims, claim("2Gi", "silver"),
			list("gold"+classSuffix+"persistentvolumeclaims", "0"), ""},
		{"node ports", list("services.nodeports", "3", "services", "5"), list("services.nodeports", "2", "services", "1"), services, service(corev1.ServiceTypeNodePort, 2), nil,
			"exceeded quota: q, requested: services.nodeports=2, used: services.nodeports=2, limited: services.nodeports=3"},
		{"load balancers", list("services.loadbalancers", "1"), list("services.loadbalancers", "0"), services, service(corev1.ServiceTypeLoadBalancer, 1), list("services.loadbalancers", "1"), ""},
		{"a service of the cluster alone", list("services.nodeports", "0", "services", "1"), list("services.nodeports", "0", "services", "0"), services, service(corev1.ServiceTypeClusterIP, 1),
			list("services.nodeports", "0", "services", "1"), ""},
		{"lowered below what is used", list("pods", "1", "requests.cpu", "1"), list("pods", "0", "requests.cpu", "5"), pods, pod(list("cpu", "0"), nil), list("pods", "1", "requests.cpu", "5"), ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			got, err := Charge(quotaOf(test.hard, test.used), test.gr, test.obj, now)
			if test.err != "" {
				if err == nil || err.Error() != test.err {
					t.Errorf("got  %v\nwant %s", err, test.err)
				}
				return
			}
			if err != nil || !Equal(got, test.want) {
				t.Errorf("got %s, %v, want %s", text(got), err, text(test.want))
			}
		})
	}
}

func TestScopes(t *testing.T) {
	terminating := func(p *corev1.Pod) { p.Spec.ActiveDeadlineSeconds = new(int64(5)) }
	high := func(p *corev1.Pod) { p.Spec.PriorityClassName = "high" }
	abroad := func(p *corev1.Pod) {
		p.Spec.Affinity = &corev1.Affinity{PodAffinity: &corev1.PodAffinity{
			PreferredDuringSchedulingIgnoredDuringExecution: []corev1.WeightedPodAffinityTerm{{PodAffinityTerm: corev1.PodAffinityTerm{Namespaces: []string{"x"}}}},
		}}
	}
	scoped := func(scope corev1.ResourceQuotaScope) func(*corev1.ResourceQuota) {
		return func(q *corev1.ResourceQuota) { q.Spec.Scopes = []corev1.ResourceQuotaScope{scope} }
	}
	classes := func(op corev1.ScopeSelectorOperator, values ...string) func(*corev1.ResourceQuota) {
		return func(q *corev1.ResourceQuota) {
			q.Spec.ScopeSelector = &corev1.ScopeSelector{MatchExpressions: []corev1.ScopedResourceSelectorRequirement{
				{ScopeName: corev1.ResourceQuotaScopePriorityClass, Operator: op, Values: values}}}
		}
	}
	for _, test := range []struct {
		name  string
		scope func(*corev1.ResourceQuota)
		pod   *corev1.Pod
		want  bool
	}{
		{"terminating", scoped(corev1.ResourceQuotaScopeTerminating), pod(nil, nil, terminating), true},
		{"running on", scoped(corev1.ResourceQuotaScopeTerminating), pod(nil, nil), false},
		{"not terminating", scoped(corev1.ResourceQuotaScopeNotTerminating), pod(nil, nil), true},
		{"best effort", scoped(corev1.ResourceQuotaScopeBestEffort), pod(nil, nil), true},
		{"burstable", scoped(corev1.ResourceQuotaScopeBestEffort), pod(list("cpu", "1"), nil), false},
		{"not best effort", scoped(corev1.ResourceQuotaScopeNotBestEffort), pod(list("cpu", "1"), nil), true},
		{"affinity abroad", scoped(corev1.ResourceQuotaScopeCrossNamespacePodAffinity), pod(nil, nil, abroad), true},
		{"no affinity", scoped(corev1.ResourceQuotaScopeCrossNamespacePodAffinity), pod(nil, nil), false},
		{"of a class", classes(corev1.ScopeSelectorOpIn, "high", "higher"), pod(nil, nil, high), true},
		{"of no class", classes(corev1.ScopeSelectorOpIn, "high"), pod(nil, nil), false},
		{"not of a class", classes(corev1.ScopeSelectorOpNotIn, "high"), pod(nil, nil, high), false},
		{"of any class", classes(corev1.ScopeSelectorOpExists), pod(nil, nil, high), true},
		{"of none at all", classes(corev1.ScopeSelectorOpDoesNotExist), pod(nil, nil), true},
	} {
		t.Run(test.name, func(t *testing.T) {
			q := quotaOf(list("pods", "1"), list("pods", "0"))
			test.scope(q)
			if got := Concerns(q, pods, test.pod); got != test.want {
				t.Errorf("got %t", got)
			}
			if Concerns(q, schema.GroupResource{Resource: "secrets"}, &corev1.Secret{}) {
				t.Error("a secret is in the scope")
			}
		})
	}
}

func TestTotal(t *testing.T) {
	ended := func(p *corev1.Pod) { p.Status.Phase = corev1.PodSucceeded }
	overdue := func(p *corev1.Pod) {
		p.DeletionTimestamp, p.DeletionGracePeriodSeconds = new(metav1.NewTime(now.Add(-time.Minute))), new(int64(30))
	}
	have := map[schema.GroupResource][]runtime.Object{
		pods: {
			pod(list("cpu", "1"), list("cpu", "2")), pod(list("cpu", "500m"), nil),
			pod(list("cpu", "8"), nil, ended), pod(list("cpu", "8"), nil, overdue),
		},
		{Resource: "secrets"}: {&corev1.Secret{}},
	}
	q := quotaOf(list("pods", "5", "count/pods", "9", "requests.cpu", "4", "limits.cpu", "4", "secrets", "3", "count/secrets", "3", "configmaps", "1", "count/x.example.com", "1"), nil)
	got := Total(q, func(gr schema.GroupResource, fn func(runtime.Object)) bool {
		for _, obj := range have[gr] {
			fn(obj)
		}
		return gr.Group == ""
	}, now)
	want := list("pods", "2", "count/pods", "4", "requests.cpu", "1500m", "limits.cpu", "2", "secrets", "1", "count/secrets", "1", "configmaps", "0")
	if !Equal(got, want) {
		t.Errorf("got  %s\nwant %s", text(got), text(want))
	}
}

func TestChargeMore(t *testing.T) {
	q := quotaOf(list("requests.cpu", "1", "requests.memory", "1Gi", "pods", "1"), list("requests.cpu", "900m", "requests.memory", "2Gi", "pods", "1"))
	old := pod(list("cpu", "200m", "memory", "64Mi"), nil)
	for _, test := range []struct {
		name string
		obj  runtime.Object
		want string // of processors
		err  string
	}{
		{"the same", pod(list("cpu", "200m", "memory", "64Mi"), nil), "900m", ""},
		{"less", pod(list("cpu", "100m", "memory", "64Mi"), nil), "900m", ""},
		{"more", pod(list("cpu", "300m", "memory", "64Mi"), nil), "1", ""},
		{"too much", pod(list("cpu", "400m", "memory", "64Mi"), nil), "",
			"exceeded quota: q, requested: requests.cpu=200m, used: requests.cpu=900m, limited: requests.cpu=1"},
	} {
		t.Run(test.name, func(t *testing.T) {
			used, err := ChargeMore(q, pods, test.obj, old, now)
			if err != nil || test.err != "" {
				if err == nil || err.Error() != test.err {
					t.Errorf("got %v", err)
				}
				return
			}
			if cpu := used["requests.cpu"]; cpu.String() != test.want {
				t.Errorf("got %s", cpu.String())
			}
		})
	}
}

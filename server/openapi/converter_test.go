package openapi

import (
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	coordinationv1 "k8s.io/api/coordination/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/util/intstr"
	"k8s.io/apimachinery/pkg/util/managedfields"
	"k8s.io/client-go/applyconfigurations"
	"k8s.io/client-go/kubernetes/scheme"
	"k8s.io/utils/ptr"

	"leme/server/kind"
)

func newConverter(t *testing.T) managedfields.TypeConverter {
	t.Helper()
	converter, err := New(kind.All()).TypeConverter()
	if err != nil {
		t.Fatal(err)
	}
	return converter
}

// objects hold the lists and values that merge in their own ways.
func objects() []runtime.Object {
	template := corev1.PodTemplateSpec{
		ObjectMeta: metav1.ObjectMeta{Labels: map[string]string{"app": "web"}, Finalizers: []string{"a/b"}},
		Spec: corev1.PodSpec{
			Containers: []corev1.Container{{
				Name: "web", Image: "web:1", Command: []string{"web"},
				Ports: []corev1.ContainerPort{
					{ContainerPort: 53, Protocol: corev1.ProtocolTCP}, {ContainerPort: 53, Protocol: corev1.ProtocolUDP},
				},
				Env: []corev1.EnvVar{{Name: "A", Value: "1"}, {Name: "B", ValueFrom: &corev1.EnvVarSource{
					FieldRef: &corev1.ObjectFieldSelector{FieldPath: "metadata.name"},
				}}},
				Resources: corev1.ResourceRequirements{Limits: corev1.ResourceList{"cpu": resource.MustParse("500m")}},
				LivenessProbe: &corev1.Probe{ProbeHandler: corev1.ProbeHandler{
					HTTPGet: &corev1.HTTPGetAction{Port: intstr.FromInt32(80)},
				}},
				VolumeMounts: []corev1.VolumeMount{{Name: "data", MountPath: "/data"}},
			}},
			Volumes: []corev1.Volume{{Name: "data", VolumeSource: corev1.VolumeSource{
				EmptyDir: &corev1.EmptyDirVolumeSource{SizeLimit: ptr.To(resource.MustParse("1Gi"))},
			}}},
			Tolerations:      []corev1.Toleration{{Key: "a", Operator: corev1.TolerationOpExists}},
			ImagePullSecrets: []corev1.LocalObjectReference{{Name: "pull"}},
			HostAliases:      []corev1.HostAlias{{IP: "10.0.0.1", Hostnames: []string{"db"}}},
			NodeSelector:     map[string]string{"disk": "ssd"},
		},
	}
	now := metav1.Now()
	return []runtime.Object{
		&corev1.Pod{
			TypeMeta: typeMeta(corev1.SchemeGroupVersion.String(), "Pod"), ObjectMeta: template.ObjectMeta, Spec: template.Spec,
			Status: corev1.PodStatus{
				Conditions: []corev1.PodCondition{{Type: corev1.PodReady, Status: corev1.ConditionTrue, LastTransitionTime: now}},
				PodIPs:     []corev1.PodIP{{IP: "10.42.0.2"}},
			},
		},
		&appsv1.Deployment{
			TypeMeta: typeMeta(appsv1.SchemeGroupVersion.String(), "Deployment"),
			Spec: appsv1.DeploymentSpec{
				Selector: &metav1.LabelSelector{MatchLabels: template.Labels}, Template: template,
				Strategy: appsv1.DeploymentStrategy{RollingUpdate: &appsv1.RollingUpdateDeployment{MaxSurge: ptr.To(intstr.FromString("25%"))}},
			},
		},
		&corev1.Secret{TypeMeta: typeMeta("v1", "Secret"), Data: map[string][]byte{"key": {0, 255}}},
		&corev1.Node{
			TypeMeta: typeMeta("v1", "Node"),
			Spec:     corev1.NodeSpec{Taints: []corev1.Taint{{Key: "a", Effect: corev1.TaintEffectNoSchedule}}, PodCIDRs: []string{"10.42.0.0/24"}},
			Status:   corev1.NodeStatus{Capacity: corev1.ResourceList{"pods": resource.MustParse("110")}},
		},
		&coordinationv1.Lease{
			TypeMeta: typeMeta("coordination.k8s.io/v1", "Lease"),
			Spec:     coordinationv1.LeaseSpec{RenewTime: &metav1.MicroTime{Time: now.Time}},
		},
	}
}

func typeMeta(apiVersion, kind string) metav1.TypeMeta {
	return metav1.TypeMeta{APIVersion: apiVersion, Kind: kind}
}

// The fields that an object sets must be told apart exactly as Kubernetes' own schema does, with the same list keys.
func TestConverterAgreesWithKubernetes(t *testing.T) {
	ours, theirs := newConverter(t), applyconfigurations.NewTypeConverter(scheme.Scheme)
	for _, obj := range objects() {
		t.Run(obj.GetObjectKind().GroupVersionKind().Kind, func(t *testing.T) {
			got, err := ours.ObjectToTyped(obj)
			if err != nil {
				t.Fatal(err)
			}
			want, err := theirs.ObjectToTyped(obj)
			if err != nil {
				t.Fatal(err)
			}
			gotFields, err := got.ToFieldSet()
			if err != nil {
				t.Fatal(err)
			}
			wantFields, err := want.ToFieldSet()
			if err != nil {
				t.Fatal(err)
			}
			if !gotFields.Equals(wantFields) {
				t.Errorf("more: %s\nless: %s", gotFields.Difference(wantFields), wantFields.Difference(gotFields))
			}
		})
	}
}

func TestConverterGivesTheObjectBack(t *testing.T) {
	converter := newConverter(t)
	for _, obj := range objects() {
		content, err := runtime.DefaultUnstructuredConverter.ToUnstructured(obj)
		if err != nil {
			t.Fatal(err)
		}
		typed, err := converter.ObjectToTyped(&unstructured.Unstructured{Object: content})
		if err != nil {
			t.Fatal(err)
		}
		back, err := converter.TypedToObject(typed)
		if err != nil {
			t.Fatal(err)
		}
		if !equality.Semantic.DeepEqual(back.(*unstructured.Unstructured).Object, content) {
			t.Errorf("%s changed on its way", obj.GetObjectKind().GroupVersionKind().Kind)
		}
	}
}

func TestConverterRefusesUnknownFields(t *testing.T) {
	pod := &unstructured.Unstructured{Object: map[string]any{
		"apiVersion": "v1", "kind": "Pod", "spec": map[string]any{"containres": []any{}},
	}}
	if _, err := newConverter(t).ObjectToTyped(pod); err == nil {
		t.Error("a field that no pod has was accepted")
	}
}

package pod

import (
	"context"
	"slices"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"leme/nodeagent/downward"
)

func TestExpand(t *testing.T) {
	values := map[string]string{"A": "1", "B": "$(A)"}
	for text, want := range map[string]string{
		"$(A)": "1", "x$(A)y$(A)": "x1y1", "$$(A)": "$(A)", "$$$(A)": "$1", "$(B)": "$(A)", "$(C)": "$(C)",
		"$": "$", "$$": "$", "$x": "$x", "$(A": "$(A", "": "", "$()": "$()", "${A}": "${A}", "$(A)$": "1$",
	} {
		if got := expand(text, values); got != want {
			t.Errorf("%s: got %s, want %s", text, got, want)
		}
	}
}

func FuzzExpand(f *testing.F) {
	f.Add("$(A)$$(A)$(B")
	f.Fuzz(func(t *testing.T, text string) {
		got := expand(text, map[string]string{"A": "1"})
		if !strings.Contains(text, "$") && got != text {
			t.Errorf("%q became %q", text, got)
		}
	})
}

// store gives objects by name.
type store struct{}

func (store) ConfigMap(_ context.Context, _, name string) (*corev1.ConfigMap, error) {
	if name != "cm" {
		return nil, apierrors.NewNotFound(corev1.Resource("configmaps"), name)
	}
	return &corev1.ConfigMap{Data: map[string]string{"color": "blue", "b=d": "x"}}, nil
}

func (store) Secret(_ context.Context, _, name string) (*corev1.Secret, error) {
	if name != "s" {
		return nil, apierrors.NewNotFound(corev1.Resource("secrets"), name)
	}
	return &corev1.Secret{Data: map[string][]byte{"key": []byte("hush")}}, nil
}

func (store) PersistentVolume(context.Context, *corev1.Pod, string) (*corev1.PersistentVolume, *corev1.PersistentVolumeClaim, error) {
	return nil, nil, apierrors.NewNotFound(corev1.Resource("persistentvolumeclaims"), "")
}

func (store) TrustAnchors(context.Context, *corev1.ClusterTrustBundleProjection) ([]byte, error) {
	return nil, nil
}

func (store) Token(context.Context, *corev1.Pod, *corev1.ServiceAccountTokenProjection) (string, error) {
	return "token", nil
}

func TestEnvironment(t *testing.T) {
	ref := func(name string) corev1.LocalObjectReference { return corev1.LocalObjectReference{Name: name} }
	from := func(s corev1.EnvVarSource) *corev1.EnvVarSource { return &s }
	yes := true
	for _, c := range []struct {
		name    string
		from    []corev1.EnvFromSource
		env     []corev1.EnvVar
		want    []string
		skipped []string
		err     string
		told    *corev1.Service
	}{
		{name: "a service", told: ServiceOfAPI("192.0.2.1:6443"), env: []corev1.EnvVar{{Name: "URL", Value: "https://$(KUBERNETES_SERVICE_HOST)"}, {Name: "KUBERNETES_PORT", Value: "x"}},
			want: []string{"HOSTNAME=h", "KUBERNETES_SERVICE_HOST=192.0.2.1", "KUBERNETES_SERVICE_PORT=6443", "KUBERNETES_SERVICE_PORT_HTTPS=6443",
				"KUBERNETES_PORT=x", "KUBERNETES_PORT_6443_TCP=tcp://192.0.2.1:6443", "KUBERNETES_PORT_6443_TCP_PROTO=tcp",
				"KUBERNETES_PORT_6443_TCP_PORT=6443", "KUBERNETES_PORT_6443_TCP_ADDR=192.0.2.1", "URL=https://192.0.2.1"}},
		{name: "a service without address", told: &corev1.Service{ObjectMeta: metav1.ObjectMeta{Name: "db"}, Spec: corev1.ServiceSpec{ClusterIP: "None", Ports: []corev1.ServicePort{{Port: 1}}}},
			want: []string{"HOSTNAME=h"}},
		{name: "none", want: []string{"HOSTNAME=h"}},
		{name: "literals", env: []corev1.EnvVar{{Name: "A", Value: "1"}, {Name: "B", Value: "$(A)2"}, {Name: "HOSTNAME", Value: "mine"}},
			want: []string{"HOSTNAME=mine", "A=1", "B=12"}},
		{name: "sources", from: []corev1.EnvFromSource{{Prefix: "P_", ConfigMapRef: &corev1.ConfigMapEnvSource{LocalObjectReference: ref("cm")}},
			{SecretRef: &corev1.SecretEnvSource{LocalObjectReference: ref("s")}}},
			env:  []corev1.EnvVar{{Name: "C", Value: "$(P_color)"}},
			want: []string{"HOSTNAME=h", "P_color=blue", "key=hush", "C=blue"}, skipped: []string{"b=d"}},
		{name: "missing source", from: []corev1.EnvFromSource{{ConfigMapRef: &corev1.ConfigMapEnvSource{LocalObjectReference: ref("none")}}},
			err: `configmaps "none" not found`},
		{name: "optional source", from: []corev1.EnvFromSource{{SecretRef: &corev1.SecretEnvSource{LocalObjectReference: ref("none"), Optional: &yes}}},
			want: []string{"HOSTNAME=h"}},
		{name: "keys", env: []corev1.EnvVar{
			{Name: "A", ValueFrom: from(corev1.EnvVarSource{ConfigMapKeyRef: &corev1.ConfigMapKeySelector{LocalObjectReference: ref("cm"), Key: "color"}})},
			{Name: "B", ValueFrom: from(corev1.EnvVarSource{SecretKeyRef: &corev1.SecretKeySelector{LocalObjectReference: ref("s"), Key: "key"}})},
			{Name: "C", ValueFrom: from(corev1.EnvVarSource{SecretKeyRef: &corev1.SecretKeySelector{LocalObjectReference: ref("s"), Key: "no", Optional: &yes}})},
			{Name: "D", ValueFrom: from(corev1.EnvVarSource{FieldRef: &corev1.ObjectFieldSelector{FieldPath: "metadata.name"}})},
			{Name: "E", ValueFrom: from(corev1.EnvVarSource{ResourceFieldRef: &corev1.ResourceFieldSelector{Resource: "requests.cpu"}})},
		}, want: []string{"HOSTNAME=h", "A=blue", "B=hush", "D=web", "E=0"}},
		{name: "missing key", env: []corev1.EnvVar{{Name: "A", ValueFrom: from(corev1.EnvVarSource{
			ConfigMapKeyRef: &corev1.ConfigMapKeySelector{LocalObjectReference: ref("cm"), Key: "no"}})}},
			err: "couldn't find key no in ConfigMap ns/cm"},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := web()
			p.Spec.Containers[0].EnvFrom, p.Spec.Containers[0].Env = c.from, c.env
			r := resolver{pod: p, hostname: "h", objects: store{}, fields: downward.Resolver{}}
			if c.told != nil {
				r.services = []*corev1.Service{c.told}
			}
			env, skipped, err := r.environment(t.Context(), &p.Spec.Containers[0])
			if c.err != "" {
				if err == nil || err.Error() != c.err {
					t.Fatalf("got %v, want %s", err, c.err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if got := env.list(); !slices.Equal(got, c.want) || !slices.Equal(skipped, c.skipped) {
				t.Errorf("got %v, skipped %v", got, skipped)
			}
		})
	}
}

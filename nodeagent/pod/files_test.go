package pod

import (
	"slices"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
)

func TestDNS(t *testing.T) {
	host := parseResolvConf([]byte("# comment\nnameserver 192.0.2.53\nsearch a.example b.example\noptions ndots:1 rotate\n"))
	for _, c := range []struct {
		name   string
		policy corev1.DNSPolicy
		config *corev1.PodDNSConfig
		want   string
	}{
		{"default", corev1.DNSDefault, nil, "search a.example b.example\nnameserver 192.0.2.53\noptions ndots:1 rotate\n"},
		{"none", corev1.DNSNone, &corev1.PodDNSConfig{Nameservers: []string{"192.0.2.1"}}, "nameserver 192.0.2.1\n"},
		{"merged", corev1.DNSClusterFirst, &corev1.PodDNSConfig{Nameservers: []string{"192.0.2.53", "192.0.2.1"}, Searches: []string{"c.example"},
			Options: []corev1.PodDNSConfigOption{{Name: "ndots", Value: ptr("5")}}},
			"search a.example b.example c.example\nnameserver 192.0.2.53\nnameserver 192.0.2.1\noptions rotate ndots:5\n"},
		{"too many", corev1.DNSNone, &corev1.PodDNSConfig{Nameservers: []string{"192.0.2.1", "192.0.2.2", "192.0.2.3", "192.0.2.4"}},
			"nameserver 192.0.2.1\nnameserver 192.0.2.2\nnameserver 192.0.2.3\n"},
	} {
		p := web()
		p.Spec.DNSPolicy, p.Spec.DNSConfig = c.policy, c.config
		if got := string(podDNS(p, host).file()); got != c.want {
			t.Errorf("%s: got\n%s", c.name, got)
		}
	}
}

func TestHosts(t *testing.T) {
	p := web()
	p.Spec.Subdomain = "db"
	p.Spec.HostAliases = []corev1.HostAlias{{IP: "192.0.2.7", Hostnames: []string{"one", "two"}}}
	name, domain := hostname(p, "node")
	text, err := hostsFile(p, "10.0.0.9", name, domain)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"127.0.0.1\tlocalhost\n", "10.0.0.9\tweb.db.ns.svc.cluster.local\tweb\n", "192.0.2.7\tone\ttwo\n"} {
		if !strings.Contains(string(text), want) {
			t.Errorf("no %q in\n%s", want, text)
		}
	}
	long := web()
	long.Name = strings.Repeat("a", 62) + ".b"
	if name, _ := hostname(long, "node"); name != strings.Repeat("a", 62) {
		t.Errorf("hostname %s", name)
	}
}

func TestLastLines(t *testing.T) {
	for _, c := range []struct {
		text string
		n    int
		want string
	}{{"a\nb\nc\n", 2, "b\nc\n"}, {"a\nb\nc", 2, "b\nc"}, {"a\n", 3, "a\n"}, {"", 1, ""}, {"\n\n\n", 1, "\n"}} {
		if got := lastLines([]byte(c.text), c.n); got != c.want {
			t.Errorf("%q %d: got %q", c.text, c.n, got)
		}
	}
}

func TestNonRoot(t *testing.T) {
	for _, c := range []struct {
		user string
		uid  *int64
		must bool
		ok   bool
	}{
		{"", nil, false, true}, {"", nil, true, false}, {"0:5", nil, true, false}, {"1000", nil, true, true},
		{"app", nil, true, false}, {"app", ptr(int64(7)), true, true}, {"1000", ptr(int64(0)), true, false},
	} {
		p := web()
		p.Spec.SecurityContext = &corev1.PodSecurityContext{RunAsNonRoot: &c.must, RunAsUser: c.uid}
		if err := checkNonRoot(p, &p.Spec.Containers[0], Image{User: c.user}); (err == nil) != c.ok {
			t.Errorf("%+v: %v", c, err)
		}
	}
}

func TestUnsupported(t *testing.T) {
	if got := Unsupported(web(), Host{}); got != "" {
		t.Errorf("a plain pod is refused: %s", got)
	}
	p := web()
	p.Spec.HostUsers = ptr(false)
	p.Spec.Containers[0].Resources.Claims = []corev1.ResourceClaim{{Name: "c"}}
	p.Spec.Volumes = []corev1.Volume{{Name: "v", VolumeSource: corev1.VolumeSource{Projected: &corev1.ProjectedVolumeSource{
		Sources: []corev1.VolumeProjection{{PodCertificate: &corev1.PodCertificateProjection{}}}}}}}
	got := strings.Split(strings.TrimPrefix(Unsupported(p, Host{}), "this node's agent does not support "), ", ")
	want := []string{"spec.hostUsers: false", "resources.claims of container web", "volume type projected.podCertificate of volume v"}
	if !slices.Equal(got, want) {
		t.Errorf("got %q", got)
	}
}

func TestMountPaths(t *testing.T) {
	both, host := corev1.MountPropagationBidirectional, corev1.MountPropagationHostToContainer
	for mode, want := range map[*corev1.MountPropagationMode]string{nil: "rprivate", &both: "rshared", &host: "rslave"} {
		if got := propagation(mode); got != want {
			t.Errorf("propagation %s, want %s", got, want)
		}
	}
	env := map[string]string{"POD": "web-0"}
	for expr, want := range map[string]string{"logs/$(POD)": "logs/web-0", "$(NONE)": ""} {
		got, err := subPath(corev1.VolumeMount{SubPathExpr: expr}, env)
		if got != want || (err == nil) != (want != "") {
			t.Errorf("%s: %s, %v", expr, got, err)
		}
	}
}

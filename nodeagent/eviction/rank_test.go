package eviction

import (
	"testing"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"leme/nodeagent/disk"
)

// one is a pod of one container that asks for these amounts: name and quantity by turns.
func one(name string, priority int32, requests ...string) *corev1.Pod {
	list := corev1.ResourceList{}
	for i := 0; i < len(requests); i += 2 {
		list[corev1.ResourceName(requests[i])] = resource.MustParse(requests[i+1])
	}
	return &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{Name: name, Namespace: "ns", UID: types.UID(name)},
		Spec:       corev1.PodSpec{Priority: &priority, Containers: []corev1.Container{{Name: "app", Resources: corev1.ResourceRequirements{Requests: list}}}},
	}
}

func takes(c ContainerUsage) Usage {
	c.Name = "app"
	return Usage{Containers: []ContainerUsage{c}}
}

func by(table map[string]Usage) usages {
	return func(p *corev1.Pod) (Usage, bool) { u, ok := table[p.Name]; return u, ok }
}

func TestRank(t *testing.T) {
	memory := func(n int64) Usage { return takes(ContainerUsage{Memory: n}) }
	layer := func(n int64) Usage { return takes(ContainerUsage{Layer: disk.Usage{Bytes: n, Inodes: n}}) }
	volume := func(n int64) Usage { return Usage{Volumes: map[string]disk.Usage{"v": {Bytes: n, Inodes: n}}} }
	for _, c := range []struct {
		name  string
		short Signal
		apart bool
		pods  []*corev1.Pod
		usage map[string]Usage
		want  string
	}{
		{"over the request first, whatever the priority", MemoryAvailable, false,
			[]*corev1.Pod{one("modest", 0, "memory", "100"), one("greedy", 9, "memory", "10")},
			map[string]Usage{"modest": memory(90), "greedy": memory(20)}, "greedy modest"},
		{"then the lower priority", MemoryAvailable, false,
			[]*corev1.Pod{one("high", 9), one("low", 1)}, map[string]Usage{"high": memory(900), "low": memory(1)}, "low high"},
		{"then the larger excess", MemoryAvailable, false,
			[]*corev1.Pod{one("small", 0, "memory", "50"), one("large", 0)}, map[string]Usage{"small": memory(60), "large": memory(20)}, "large small"},
		{"of whom nothing is known", MemoryAvailable, false,
			[]*corev1.Pod{one("known", 0), one("unknown", 0)}, map[string]Usage{"known": memory(900)}, "unknown known"},
		{"disk, everything on one", NodeFsAvailable, false,
			[]*corev1.Pod{one("writes", 0), one("keeps", 0)}, map[string]Usage{"writes": layer(5), "keeps": volume(9)}, "keeps writes"},
		{"disk, asked for", ImageFsAvailable, false,
			[]*corev1.Pod{one("asked", 0, "ephemeral-storage", "100"), one("did not", 0)}, map[string]Usage{"asked": layer(90), "did not": layer(1)}, "did not asked"},
		{"volumes' disk alone", NodeFsAvailable, true,
			[]*corev1.Pod{one("writes", 0), one("keeps", 0)}, map[string]Usage{"writes": layer(50), "keeps": volume(9)}, "keeps writes"},
		{"images' disk alone", ImageFsAvailable, true,
			[]*corev1.Pod{one("keeps", 0), one("writes", 0)}, map[string]Usage{"writes": layer(5), "keeps": volume(9)}, "writes keeps"},
		{"inodes", NodeFsInodesFree, false,
			[]*corev1.Pod{one("few", 0), one("many", 0)}, map[string]Usage{"few": layer(5), "many": layer(9)}, "many few"},
		{"processes: priority first", PIDAvailable, false,
			[]*corev1.Pod{one("high", 9), one("low", 0)}, map[string]Usage{"high": {Processes: 900}, "low": {Processes: 1}}, "low high"},
		{"processes: then their number", PIDAvailable, false,
			[]*corev1.Pod{one("few", 0), one("many", 0)}, map[string]Usage{"few": {Processes: 1}, "many": {Processes: 9}}, "many few"},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := ""
			for i, p := range rank(c.pods, c.short, c.apart, by(c.usage)) {
				if i > 0 {
					got += " "
				}
				got += p.Name
			}
			if got != c.want {
				t.Errorf("got %s, want %s", got, c.want)
			}
		})
	}
}

func TestMessage(t *testing.T) {
	p := one("web", 0, "memory", "64Mi")
	seen := Observations{MemoryAvailable: {50 << 20, 1 << 30}}
	text, annotations := message(p, Threshold{Signal: MemoryAvailable, Value: Amount{Count: 100 << 20}}, seen,
		by(map[string]Usage{"web": takes(ContainerUsage{Memory: 80 << 20})}))
	want := "The node was low on resource: memory. Threshold quantity: 100Mi, available: 50Mi. " +
		"Container app was using 80Mi, request is 64Mi, has larger consumption of memory. "
	if text != want {
		t.Errorf("got  %s\nwant %s", text, want)
	}
	if annotations["offending_containers"] != "app" || annotations["offending_containers_usage"] != "80Mi" || annotations["starved_resource"] != "memory" {
		t.Errorf("annotations %v", annotations)
	}
	text, _ = message(p, Threshold{Signal: NodeFsInodesFree, Value: Amount{Share: 0.05}}, Observations{NodeFsInodesFree: {20, 1000}}, by(nil))
	if want := "The node was low on resource: inodes. Threshold quantity: 50, available: 20. "; text != want {
		t.Errorf("got %q", text)
	}
	layer := takes(ContainerUsage{Layer: disk.Usage{Bytes: 3 << 10}, Log: disk.Usage{Bytes: 1 << 10}})
	text, _ = message(p, Threshold{Signal: NodeFsAvailable, Value: Amount{Count: 10}}, nil, by(map[string]Usage{"web": layer}))
	if want := "The node was low on resource: ephemeral-storage. Container app was using 4Ki, request is 0, has larger consumption of ephemeral-storage. "; text != want {
		t.Errorf("got %q", text)
	}
}

func TestLimits(t *testing.T) {
	limits := func(p *corev1.Pod, q string) {
		p.Spec.Containers[0].Resources.Limits = corev1.ResourceList{corev1.ResourceEphemeralStorage: resource.MustParse(q)}
	}
	volume := func(p *corev1.Pod, medium corev1.StorageMedium) {
		q := resource.MustParse("100")
		p.Spec.Volumes = []corev1.Volume{{Name: "v", VolumeSource: corev1.VolumeSource{EmptyDir: &corev1.EmptyDirVolumeSource{Medium: medium, SizeLimit: &q}}}}
	}
	sidecar := func(p *corev1.Pod) {
		always := corev1.ContainerRestartPolicyAlways
		p.Spec.InitContainers, p.Spec.Containers = p.Spec.Containers, []corev1.Container{{Name: "main"}}
		p.Spec.InitContainers[0].RestartPolicy = &always
	}
	writes := func(layer, log int64) Usage {
		return takes(ContainerUsage{Layer: disk.Usage{Bytes: layer}, Log: disk.Usage{Bytes: log}})
	}
	for _, c := range []struct {
		name  string
		mod   func(*corev1.Pod)
		usage Usage
		apart bool
		want  string
	}{
		{"no limits", func(*corev1.Pod) {}, writes(1<<40, 0), false, ""},
		{"volume within", func(p *corev1.Pod) { volume(p, "") }, Usage{Volumes: map[string]disk.Usage{"v": {Bytes: 100}}}, false, ""},
		{"volume over", func(p *corev1.Pod) { volume(p, "") }, Usage{Volumes: map[string]disk.Usage{"v": {Bytes: 101}}}, false,
			`Usage of EmptyDir volume "v" exceeds the limit "100". `},
		{"volume in memory", func(p *corev1.Pod) { volume(p, corev1.StorageMediumMemory) }, Usage{Volumes: map[string]disk.Usage{"v": {Bytes: 101}}}, false, ""},
		{"container within", func(p *corev1.Pod) { limits(p, "1Ki") }, writes(1000, 24), false, ""},
		{"the whole pod over", func(p *corev1.Pod) { limits(p, "1Ki") },
			Usage{Containers: writes(1000, 0).Containers, Volumes: map[string]disk.Usage{"v": {Bytes: 25}}}, false,
			"Pod ephemeral local storage usage exceeds the total limit of containers 1Ki. "},
		{"one container over, the pod not", func(p *corev1.Pod) {
			limits(p, "1Ki")
			p.Spec.Containers = append(p.Spec.Containers, corev1.Container{Name: "other", Resources: p.Spec.Containers[0].Resources})
		}, writes(1000, 25), false, `Container app exceeded its local ephemeral storage limit "1Ki". `},
		{"layers on the images' disk count there", func(p *corev1.Pod) {
			limits(p, "1Ki")
			p.Spec.Containers = append(p.Spec.Containers, corev1.Container{Name: "other", Resources: p.Spec.Containers[0].Resources})
		}, writes(1000, 25), true, ""},
		{"a sidecar over", func(p *corev1.Pod) {
			limits(p, "1Ki")
			sidecar(p)
			p.Spec.Containers[0].Resources.Limits = corev1.ResourceList{corev1.ResourceEphemeralStorage: resource.MustParse("1Ki")}
		}, writes(1025, 0), false, `Container app exceeded its local ephemeral storage limit "1Ki". `},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := one("web", 0)
			c.mod(p)
			if got := exceeded(p, c.usage, c.apart); got.Message != c.want {
				t.Errorf("got %q, want %q", got.Message, c.want)
			}
			if c.want != "" && !limited(p) {
				t.Error("nobody would look")
			}
		})
	}
}

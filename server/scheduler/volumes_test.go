package scheduler

import (
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	storagev1 "k8s.io/api/storage/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	volumehelper "k8s.io/component-helpers/storage/volume"
)

// shelf is a Storage of what a test puts there.
type shelf struct {
	claims  map[string]*corev1.PersistentVolumeClaim
	volumes map[string]*corev1.PersistentVolume
	classes map[string]*storagev1.StorageClass

	capacities  []*storagev1.CSIStorageCapacity // none: no driver tells of its space
	limits      map[string]int64
	attachments map[string][]csiVolume
}

func (s shelf) Rationed(string) bool                              { return len(s.capacities) > 0 }
func (s shelf) Capacities(string) []*storagev1.CSIStorageCapacity { return s.capacities }
func (s shelf) Limits(string) map[string]int64                    { return s.limits }
func (s shelf) Attachments() map[string][]csiVolume               { return s.attachments }

func (s shelf) Claim(_, name string) (*corev1.PersistentVolumeClaim, bool) {
	c, ok := s.claims[name]
	return c, ok
}

func (s shelf) Volume(name string) (*corev1.PersistentVolume, bool) {
	v, ok := s.volumes[name]
	return v, ok
}

func (s shelf) Class(name string) (*storagev1.StorageClass, bool) {
	c, ok := s.classes[name]
	return c, ok
}

func (s shelf) Free(class string, claim *corev1.PersistentVolumeClaim) (free []*corev1.PersistentVolume) {
	for _, v := range s.volumes {
		if v.Spec.ClaimRef == nil && v.Spec.StorageClassName == class {
			free = append(free, v)
		}
	}
	return free
}

func testShelf() shelf {
	modes := []corev1.PersistentVolumeAccessMode{corev1.ReadWriteOnce}
	size := corev1.ResourceList{corev1.ResourceStorage: resource.MustParse("1Gi")}
	claim := func(name, class string, mutate ...func(*corev1.PersistentVolumeClaim)) *corev1.PersistentVolumeClaim {
		c := &corev1.PersistentVolumeClaim{
			ObjectMeta: metav1.ObjectMeta{Namespace: "default", Name: name},
			Spec:       corev1.PersistentVolumeClaimSpec{StorageClassName: &class, AccessModes: modes, Resources: corev1.VolumeResourceRequirements{Requests: size}},
		}
		for _, m := range mutate {
			m(c)
		}
		return c
	}
	volume := func(name, class, node string) *corev1.PersistentVolume {
		return &corev1.PersistentVolume{
			ObjectMeta: metav1.ObjectMeta{Name: name},
			Spec: corev1.PersistentVolumeSpec{
				Capacity: size, AccessModes: modes, StorageClassName: class,
				NodeAffinity: &corev1.VolumeNodeAffinity{Required: &corev1.NodeSelector{NodeSelectorTerms: []corev1.NodeSelectorTerm{{
					MatchExpressions: []corev1.NodeSelectorRequirement{{Key: corev1.LabelHostname, Operator: corev1.NodeSelectorOpIn, Values: []string{node}}},
				}}}},
			},
			Status: corev1.PersistentVolumeStatus{Phase: corev1.VolumeAvailable},
		}
	}
	class := func(name, provisioner string, mode storagev1.VolumeBindingMode, zones ...string) *storagev1.StorageClass {
		c := &storagev1.StorageClass{ObjectMeta: metav1.ObjectMeta{Name: name}, Provisioner: provisioner, VolumeBindingMode: &mode}
		if len(zones) > 0 {
			c.AllowedTopologies = []corev1.TopologySelectorTerm{{MatchLabelExpressions: []corev1.TopologySelectorLabelRequirement{{Key: corev1.LabelHostname, Values: zones}}}}
		}
		return c
	}
	bound := func(name string) func(*corev1.PersistentVolumeClaim) {
		return func(c *corev1.PersistentVolumeClaim) {
			c.Spec.VolumeName, c.Annotations = name, map[string]string{volumehelper.AnnBindCompleted: "yes"}
		}
	}
	selected := func(c *corev1.PersistentVolumeClaim) {
		c.Annotations = map[string]string{volumehelper.AnnSelectedNode: "b"}
	}
	s := shelf{claims: map[string]*corev1.PersistentVolumeClaim{}, volumes: map[string]*corev1.PersistentVolume{}, classes: map[string]*storagev1.StorageClass{}}
	for _, c := range []*corev1.PersistentVolumeClaim{
		claim("bound", "x", bound("on-b")), claim("lost", "x", bound("gone")), claim("immediate", "now"),
		claim("later", "later"), claim("static", "static"), claim("zoned", "zoned"), claim("chosen", "later", selected),
		claim("going", "later", func(c *corev1.PersistentVolumeClaim) { c.DeletionTimestamp = &metav1.Time{} }), claim("p-own", "later"),
	} {
		s.claims[c.Name] = c
	}
	for _, v := range []*corev1.PersistentVolume{volume("on-b", "x", "b"), volume("free-on-b", "static", "b")} {
		s.volumes[v.Name] = v
	}
	for _, c := range []*storagev1.StorageClass{
		class("now", "p", storagev1.VolumeBindingImmediate), class("later", "p", storagev1.VolumeBindingWaitForFirstConsumer),
		class("static", volumehelper.NotSupportedProvisioner, storagev1.VolumeBindingWaitForFirstConsumer),
		class("zoned", "p", storagev1.VolumeBindingWaitForFirstConsumer, "b", "c"),
	} {
		s.classes[c.Name] = c
	}
	return s
}

func TestVolumes(t *testing.T) {
	using := func(names ...string) func(*corev1.Pod) {
		return func(p *corev1.Pod) {
			for _, name := range names {
				p.Spec.Volumes = append(p.Spec.Volumes, corev1.Volume{Name: name, VolumeSource: corev1.VolumeSource{
					PersistentVolumeClaim: &corev1.PersistentVolumeClaimVolumeSource{ClaimName: name}}})
			}
		}
	}
	own := func(p *corev1.Pod) {
		p.Spec.Volumes = []corev1.Volume{{Name: "own", VolumeSource: corev1.VolumeSource{Ephemeral: &corev1.EphemeralVolumeSource{}}}}
	}
	for _, test := range []struct {
		name    string
		pod     func(*corev1.Pod)
		node    string // "" is any
		choices string
		refusal string
	}{
		{"a volume on one node", using("bound"), "b", "", ""},
		{"one that will be made", using("later"), "", "later: made", ""},
		{"one that will be made in a zone", using("zoned"), "b", "zoned: made", ""},
		{"one that is free on a node", using("static"), "b", "static: free-on-b", ""},
		{"one that is being made", using("chosen"), "b", "chosen: made", ""},
		{"two claims and one volume", using("static", "bound"), "b", "static: free-on-b", ""},
		{"no claim", using("x"), "", "", `0/2 nodes are available: persistentvolumeclaim "x" not found.`},
		{"a claim that has to be bound", using("immediate"), "", "", "0/2 nodes are available: pod has unbound immediate PersistentVolumeClaims."},
		{"a claim that goes", using("going"), "", "", `0/2 nodes are available: persistentvolumeclaim "going" is being deleted.`},
		{"a volume that is gone", using("lost"), "", "", `0/2 nodes are available: persistentvolumeclaim "lost" bound to non-existent persistentvolume "gone".`},
		{"a claim of its own, not made yet", func(p *corev1.Pod) { own(p); p.Name = "q" }, "", "", `0/2 nodes are available: waiting for ephemeral volume controller to create the persistentvolumeclaim "q-own".`},
		{"a claim that is another's", own, "", "", `0/2 nodes are available: PVC default/p-own was not created for pod default/p (pod is not owner).`},
		{"volumes of two nodes", func(p *corev1.Pod) {
			using("bound")(p)
			p.Spec.NodeSelector = map[string]string{corev1.LabelHostname: "a"}
		}, "", "", "0/2 nodes are available: 1 node(s) didn't match PersistentVolume's node affinity, 1 node(s) didn't match Pod's node affinity/selector."},
		{"no free volume there", func(p *corev1.Pod) {
			using("static")(p)
			p.Spec.NodeSelector = map[string]string{corev1.LabelHostname: "a"}
		}, "", "", "0/2 nodes are available: 1 node(s) didn't find available persistent volumes to bind, 1 node(s) didn't match Pod's node affinity/selector."},
	} {
		t.Run(test.name, func(t *testing.T) {
			c := clusterOf(testNode("a"), testNode("b"))
			c.storage = testShelf()
			node, refused := c.decide(standard, newPodInfo(testPod("p", test.pod)))
			if refused != nil {
				if refused.message != test.refusal || refused.wake&storageChanged == 0 {
					t.Errorf("got  %s (%b)\nwant %s", refused.message, refused.wake, test.refusal)
				}
				return
			}
			if test.refusal != "" || test.node != "" && node.name != test.node {
				t.Fatalf("placed on %s, want %s %s", node.name, test.node, test.refusal)
			}
			choices, _ := c.scratch.decision.volumesOn(node)
			var words []string
			for _, choice := range choices {
				from := "made"
				if choice.volume != nil {
					from = choice.volume.Name
				}
				words = append(words, choice.claim.Name+": "+from)
			}
			if got := strings.Join(words, ", "); got != test.choices {
				t.Errorf("got %q, want %q", got, test.choices)
			}
		})
	}
}

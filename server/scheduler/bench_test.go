package scheduler

import (
	"fmt"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"
)

// BenchmarkDecide places pods over 5,000 nodes in memory: what the scheduler costs without its writes.
func BenchmarkDecide(b *testing.B) {
	b.Run("plain", func(b *testing.B) { benchmarkDecide(b, func(*corev1.Pod) {}) })
	b.Run("owned", func(b *testing.B) {
		benchmarkDecide(b, func(p *corev1.Pod) {
			p.OwnerReferences = []metav1.OwnerReference{{UID: "set", Controller: ptr.To(true)}}
		})
	})
}

func benchmarkDecide(b *testing.B, mutate func(*corev1.Pod)) {
	c := newCluster(noLabels)
	for _, name := range nodeNames(5_000) {
		c.setNode(testNode(name))
	}
	pods := make([]*corev1.Pod, b.N)
	for i := range pods {
		pods[i] = testPod(fmt.Sprint(i), mutate)
	}
	b.ReportAllocs()
	b.ResetTimer()
	for _, pod := range pods {
		if len(c.pods) >= 150_000 { // as many as one master is made for
			b.StopTimer()
			for uid := range c.pods {
				c.removePod(uid)
			}
			b.StartTimer()
		}
		p := newPodInfo(pod)
		n, refused := c.decide(standard, p)
		if refused != nil {
			b.Fatal(refused.message)
		}
		c.place(p, n.name)
	}
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "pods/s")
}

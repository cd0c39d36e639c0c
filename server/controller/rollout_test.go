package controller_test

import (
	"slices"
	"strings"
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"
)

func TestDeploymentLife(t *testing.T) {
	t.Parallel()
	c := newCluster(t, "one", "two")
	ctx := t.Context()
	made(t)(c.deployments.Create(ctx, webDeployment(3)))
	c.await("3 replicas run", func() bool { return c.rolledOut(3) })

	scale := func(n int32) {
		made(t)(c.deployments.Update(ctx, "default", "web", func(d *appsv1.Deployment) error {
			d.Spec.Replicas = &n
			return nil
		}))
		c.await("scaled", func() bool { return c.rolledOut(n) })
	}
	scale(5)
	scale(2)

	first := c.sets.List("default", nil)[0].Name
	made(t)(c.deployments.Update(ctx, "default", "web", func(d *appsv1.Deployment) error {
		d.Spec.Template.Spec.Containers[0].Image = "web:2"
		return nil
	}))
	c.await("the new template is rolled out", func() bool {
		old, _ := c.sets.Get("default", first)
		return len(c.sets.List("default", nil)) == 2 && c.rolledOut(2) && old.Status.Replicas == 0
	})
	for _, p := range c.alive() {
		if p.Spec.Containers[0].Image != "web:2" || !strings.HasPrefix(p.Name, p.OwnerReferences[0].Name+"-") {
			t.Errorf("pod %s of %s runs %s", p.Name, p.OwnerReferences[0].Name, p.Spec.Containers[0].Image)
		}
	}
	c.await("revision 2 is told", func() bool {
		d, _ := c.deployments.Get("default", "web")
		return d.Annotations["deployment.kubernetes.io/revision"] == "2"
	})

	victim := c.alive()[0]
	if err := c.pods.Delete(ctx, victim.Namespace, victim.Name, metav1.DeleteOptions{}); err != nil {
		t.Fatal(err)
	}
	c.await("a deleted pod is replaced", func() bool {
		_, there := c.pods.Get(victim.Namespace, victim.Name)
		return !there && c.rolledOut(2)
	})
}

func TestRecreateEndsTheOldFirst(t *testing.T) {
	t.Parallel()
	c := newCluster(t, "one")
	made(t)(c.deployments.Create(t.Context(), webDeployment(2, func(d *appsv1.Deployment) {
		d.Spec.Strategy.Type = appsv1.RecreateDeploymentStrategyType
	})))
	c.await("2 replicas run", func() bool { return c.rolledOut(2) })
	made(t)(c.deployments.Update(t.Context(), "default", "web", func(d *appsv1.Deployment) error {
		d.Spec.Template.Spec.Containers[0].Image = "web:2"
		return nil
	}))
	c.await("the new template is rolled out", func() bool {
		images := map[string]bool{}
		for _, p := range c.pods.List("default", nil) {
			images[p.Spec.Containers[0].Image] = true
		}
		if len(images) == 2 {
			t.Fatal("old and new pods at the same time")
		}
		return images["web:2"] && c.rolledOut(2)
	})
}

func TestPropagation(t *testing.T) {
	t.Parallel()
	for _, policy := range []metav1.DeletionPropagation{
		metav1.DeletePropagationBackground, metav1.DeletePropagationForeground, metav1.DeletePropagationOrphan,
	} {
		t.Run(string(policy), func(t *testing.T) {
			c := newCluster(t, "one")
			made(t)(c.deployments.Create(t.Context(), webDeployment(2)))
			c.await("2 replicas run", func() bool { return c.rolledOut(2) })
			if err := c.deployments.Delete(t.Context(), "default", "web", metav1.DeleteOptions{PropagationPolicy: &policy}); err != nil {
				t.Fatal(err)
			}
			c.await("the Deployment is gone", func() bool {
				if _, there := c.deployments.Get("default", "web"); there {
					return false
				}
				if policy == metav1.DeletePropagationForeground && len(c.sets.List("default", nil)) > 0 {
					t.Fatal("the owner went before its dependents")
				}
				return true
			})
			if policy != metav1.DeletePropagationOrphan {
				c.await("nothing is left", func() bool {
					return len(c.sets.List("default", nil)) == 0 && len(c.pods.List("default", nil)) == 0
				})
				return
			}
			sets := c.sets.List("default", nil)
			if len(sets) != 1 || len(sets[0].OwnerReferences) != 0 || len(c.alive()) != 2 {
				t.Errorf("left behind: %s", c.dump())
			}
			made(t)(c.deployments.Create(t.Context(), webDeployment(2)))
			c.await("the orphan is adopted", func() bool {
				s, _ := c.sets.Get("default", sets[0].Name)
				return len(s.OwnerReferences) == 1 && c.rolledOut(2) && len(c.sets.List("default", nil)) == 1
			})
		})
	}
}

func TestNamespaceIsEmptied(t *testing.T) {
	t.Parallel()
	c := newCluster(t, "one")
	made(t)(c.namespaces.Create(t.Context(), &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: "shop"}}))
	made(t)(c.deployments.Create(t.Context(), webDeployment(2, func(d *appsv1.Deployment) { d.Namespace = "shop" })))
	c.await("2 pods run, with the account and the CA", func() bool {
		running := c.pods.List("shop", func(p *corev1.Pod) bool { return p.Status.Phase == corev1.PodRunning })
		return len(running) == 2
	})
	if err := c.namespaces.Delete(t.Context(), "", "shop", metav1.DeleteOptions{}); err != nil {
		t.Fatal(err)
	}
	c.await("the namespace is gone", func() bool {
		_, there := c.namespaces.Get("", "shop")
		return !there
	})
	if len(c.pods.List("shop", nil))+len(c.sets.List("shop", nil)) > 0 {
		t.Errorf("left behind: %s", c.dump())
	}
}

// leaveAtOnce has a deployment's pods leave a node that nothing is heard of as soon as that is said of it.
func leaveAtOnce(d *appsv1.Deployment) {
	d.Spec.Template.Spec.Tolerations = []corev1.Toleration{{
		Key: corev1.TaintNodeUnreachable, Operator: corev1.TolerationOpExists,
		Effect: corev1.TaintEffectNoExecute, TolerationSeconds: ptr.To[int64](0),
	}}
}

func TestDeadNodeIsLeft(t *testing.T) {
	t.Parallel()
	c := newCluster(t, "one", "two")
	made(t)(c.deployments.Create(t.Context(), webDeployment(2, leaveAtOnce)))
	c.await("2 replicas run, one on each node", func() bool {
		pods := c.alive()
		return c.rolledOut(2) && pods[0].Spec.NodeName != pods[1].Spec.NodeName
	})
	c.await("the nodes have addresses for pods", func() bool {
		one, _ := c.nodes.Get("", "one")
		two, _ := c.nodes.Get("", "two")
		return one.Spec.PodCIDR != "" && two.Spec.PodCIDR != "" && one.Spec.PodCIDR != two.Spec.PodCIDR
	})
	c.silence("one")
	c.await("the work has moved", func() bool {
		for _, p := range c.alive() {
			if p.Spec.NodeName != "two" {
				return false
			}
		}
		return len(c.alive()) == 2
	})
	node, _ := c.nodes.Get("", "one")
	for _, cond := range node.Status.Conditions {
		if cond.Type == corev1.NodeReady && (cond.Status != corev1.ConditionUnknown || cond.Reason != "NodeStatusUnknown") {
			t.Errorf("the dead node is said to be %+v", cond)
		}
	}
}

// TestLostNodeComesBack has a node fall silent and return: its pods are replaced once, and end when it is back.
func TestLostNodeComesBack(t *testing.T) {
	t.Parallel()
	c := newCluster(t, "one", "two")
	made(t)(c.deployments.Create(t.Context(), webDeployment(2, leaveAtOnce)))
	c.await("2 replicas run", func() bool { return c.rolledOut(2) })
	lost := c.alive()[0].Spec.NodeName
	on := func(node string) []*corev1.Pod {
		return c.pods.List("default", func(p *corev1.Pod) bool { return p.Spec.NodeName == node })
	}
	left := len(on(lost))
	c.silence(lost)
	c.await("the work has moved", func() bool {
		there := func(p *corev1.Pod) bool { return p.Spec.NodeName == lost }
		return len(c.alive()) == 2 && c.rolledOut(2) && !slices.ContainsFunc(c.alive(), there)
	})
	if ending := on(lost); len(ending) != left {
		t.Errorf("%d pods of the lost node are still known, %d ran there and may run on", len(ending), left)
	}
	c.wake(lost)
	c.await("what ran there has ended", func() bool { return len(on(lost)) == 0 })
	c.await("it takes pods again", func() bool {
		n, _ := c.nodes.Get("", lost)
		return len(n.Spec.Taints) == 0
	})
	if made := c.events.List("default", func(e *corev1.Event) bool { return e.Reason == "SuccessfulCreate" }); len(made) != 2+left || !c.rolledOut(2) {
		t.Errorf("%d pods were made for 2 replicas of which %d were lost\n%s", len(made), left, c.dump())
	}
}

func TestPendingPodSaysWhy(t *testing.T) {
	t.Parallel()
	c := newCluster(t, "one")
	made(t)(c.nodes.Update(t.Context(), "", "one", func(n *corev1.Node) error {
		n.Spec.Unschedulable = true
		return nil
	}))
	c.await("the node is cordoned", func() bool {
		n, _ := c.nodes.Get("", "one")
		return len(n.Spec.Taints) == 1
	})
	made(t)(c.deployments.Create(t.Context(), webDeployment(1)))
	c.await("the pod says why it waits", func() bool {
		pods := c.alive()
		return len(pods) == 1 && len(pods[0].Status.Conditions) == 1 &&
			pods[0].Status.Conditions[0].Message == "0/1 nodes are available: 1 node(s) were unschedulable. preemption: 0/1 nodes are available: 1 Preemption is not helpful for scheduling."
	})
	made(t)(c.nodes.Update(t.Context(), "", "one", func(n *corev1.Node) error {
		n.Spec.Unschedulable = false
		return nil
	}))
	c.await("it runs", func() bool { return c.rolledOut(1) })
	for _, want := range []string{
		"FailedScheduling: 0/1 nodes are available: 1 node(s) were unschedulable. preemption: 0/1 nodes are available: 1 Preemption is not helpful for scheduling.",
		"Scheduled: Successfully assigned default/" + c.alive()[0].Name + " to one",
		"SuccessfulCreate: Created pod: " + c.alive()[0].Name,
		"ScalingReplicaSet: Scaled up replica set " + c.alive()[0].OwnerReferences[0].Name + " from 0 to 1",
	} {
		c.await("an event says "+want, func() bool {
			return len(c.events.List("default", func(e *corev1.Event) bool { return e.Reason+": "+e.Message == want })) == 1
		})
	}
}

package controller_test

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	coordinationv1 "k8s.io/api/coordination/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	apiresource "k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/utils/ptr"

	"leme/server/controller"
	"leme/server/kind"
	"leme/server/resource"
	"leme/server/scheduler"
	"leme/server/store"
	"leme/server/store/storetest"
)

const (
	tester  = "tester"
	grace   = 4 * time.Second // of the nodes in these tests
	patient = 40 * time.Second
)

// cluster is the real store, verbs, controllers and scheduler, with agents that only say that all goes well.
type cluster struct {
	t           testing.TB
	api         *resource.API
	pods        resource.Typed[*corev1.Pod]
	nodes       resource.Typed[*corev1.Node]
	sets        resource.Typed[*appsv1.ReplicaSet]
	deployments resource.Typed[*appsv1.Deployment]
	namespaces  resource.Typed[*corev1.Namespace]
	leases      resource.Typed[*coordinationv1.Lease]
	events      resource.Typed[*corev1.Event]
	changed     chan struct{} // one value after changes of what is awaited

	mu   sync.Mutex
	dead map[string]bool // nodes whose agent says nothing
}

func newCluster(t testing.TB, nodes ...string) *cluster {
	c, ctx, running := clusterOver(t, storetest.New(t), nodes...)
	running.Go(func() {
		if err := c.lead(ctx, c.api); ctx.Err() == nil {
			t.Errorf("the controllers ended with: %v", err)
		}
	})
	return c
}

// lead runs controllers and scheduler as a server does.
func (c *cluster) lead(ctx context.Context, api *resource.API) error {
	return controller.Run(ctx, controller.Config{
		API: api, CA: []byte("the CA"), Signer: signed, Identity: "test", NodeGrace: grace,
		WhileLeading: []func(context.Context) error{func(ctx context.Context) error { return scheduler.Run(ctx, api, nil, nil) }},
	})
}

// clusterOver is a cluster without controllers. What else runs in it ends, with ctx, before the test does.
func clusterOver(t testing.TB, s *store.Store, nodes ...string) (*cluster, context.Context, *sync.WaitGroup) {
	api := resource.New(s, kind.All())
	c := &cluster{
		t: t, api: api,
		pods:        resource.For[*corev1.Pod](api, kind.Pod, tester),
		nodes:       resource.For[*corev1.Node](api, kind.Node, tester),
		sets:        resource.For[*appsv1.ReplicaSet](api, kind.ReplicaSet, tester),
		deployments: resource.For[*appsv1.Deployment](api, kind.Deployment, tester),
		namespaces:  resource.For[*corev1.Namespace](api, kind.Namespace, tester),
		leases:      resource.For[*coordinationv1.Lease](api, kind.Lease, tester),
		events:      resource.For[*corev1.Event](api, kind.Event, tester),
		changed:     make(chan struct{}, 1),
		dead:        make(map[string]bool),
	}
	for _, name := range []string{"default", corev1.NamespaceNodeLease} {
		made(t)(c.namespaces.Create(t.Context(), &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: name}}))
	}
	for _, name := range nodes {
		c.addNode(name)
	}
	ctx, cancel := context.WithCancel(context.Background())
	running := &sync.WaitGroup{}
	t.Cleanup(func() { cancel(); running.Wait() })
	running.Go(func() { c.agents(ctx) })
	running.Go(func() { c.heartbeats(ctx, nodes) })
	for _, k := range kind.All().List() {
		running.Go(func() { _ = api.Follow(ctx, k, nil, c.signal) })
	}
	return c, ctx, running
}

func (c *cluster) signal(store.Event) {
	select {
	case c.changed <- struct{}{}:
	default:
	}
}

// await returns when something is so. What it depends on is looked at after every change in the cluster.
func (c *cluster) await(what string, so func() bool) {
	c.t.Helper()
	timeout := time.NewTimer(patient)
	defer timeout.Stop()
	for !so() {
		select {
		case <-c.changed:
		case <-timeout.C:
			c.t.Fatalf("after %v still not so: %s\n%s", patient, what, c.dump())
		}
	}
}

func (c *cluster) dump() string {
	text := ""
	for _, d := range c.deployments.List("", nil) {
		text += fmt.Sprintf("deployment %s: %+v\n", d.Name, d.Status)
	}
	for _, s := range c.sets.List("", nil) {
		text += fmt.Sprintf("replicaset %s: wants %d, %+v, %v\n", s.Name, *s.Spec.Replicas, s.Status, s.OwnerReferences)
	}
	for _, p := range c.pods.List("", nil) {
		text += fmt.Sprintf("pod %s on %q: %s, leaving %v, %v\n", p.Name, p.Spec.NodeName, p.Status.Phase, p.DeletionTimestamp, p.Status.Conditions)
	}
	for _, n := range c.nodes.List("", nil) {
		text += fmt.Sprintf("node %s: %v %v\n", n.Name, n.Spec.Taints, n.Status.Conditions)
	}
	return text
}

func (c *cluster) addNode(name string) {
	made(c.t)(c.nodes.Create(c.t.Context(), &corev1.Node{ObjectMeta: metav1.ObjectMeta{Name: name}}))
	made(c.t)(c.nodes.UpdateStatus(c.t.Context(), "", name, func(n *corev1.Node) error {
		n.Status.Allocatable = corev1.ResourceList{
			corev1.ResourceCPU: apiresource.MustParse("4"), corev1.ResourceMemory: apiresource.MustParse("8Gi"),
			corev1.ResourcePods: apiresource.MustParse("110"),
		}
		n.Status.Capacity = n.Status.Allocatable
		n.Status.Conditions = []corev1.NodeCondition{{Type: corev1.NodeReady, Status: corev1.ConditionTrue}}
		return nil
	}))
}

func (c *cluster) silence(node string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.dead[node] = true
}

// wake lets a node's agent speak again: that it is well, and that what was to end has ended.
func (c *cluster) wake(node string) {
	c.mu.Lock()
	delete(c.dead, node)
	c.mu.Unlock()
	made(c.t)(c.nodes.UpdateStatus(c.t.Context(), "", node, func(n *corev1.Node) error {
		n.Status.Conditions = []corev1.NodeCondition{{Type: corev1.NodeReady, Status: corev1.ConditionTrue, LastHeartbeatTime: metav1.Now()}}
		return nil
	}))
	for _, p := range c.pods.List("", func(p *corev1.Pod) bool { return p.Spec.NodeName == node }) {
		if err := c.runPod(c.t.Context(), p); err != nil && !apierrors.IsNotFound(err) {
			c.t.Error(err)
		}
	}
}

func (c *cluster) silent(node string) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.dead[node]
}

// heartbeats renew the nodes' leases, as agents do.
func (c *cluster) heartbeats(ctx context.Context, nodes []string) {
	for _, name := range nodes {
		_, err := c.leases.Create(ctx, &coordinationv1.Lease{ObjectMeta: metav1.ObjectMeta{Namespace: corev1.NamespaceNodeLease, Name: name}})
		if err != nil && ctx.Err() == nil {
			c.t.Error(err)
		}
	}
	tick := time.NewTicker(grace / 8)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		for _, name := range nodes {
			if c.silent(name) {
				continue
			}
			_, err := c.leases.Update(ctx, corev1.NamespaceNodeLease, name, func(l *coordinationv1.Lease) error {
				l.Spec.RenewTime = ptr.To(metav1.NowMicro())
				return nil
			})
			if err != nil && ctx.Err() == nil && !apierrors.IsNotFound(err) {
				c.t.Error(err)
			}
		}
	}
}

// agents let every pod that is on a node run, and every pod that is to stop, stop.
func (c *cluster) agents(ctx context.Context) {
	_ = c.api.Follow(ctx, kind.Pod, nil, func(e store.Event) {
		o, err := e.Item.Object()
		if err != nil {
			c.t.Error(err)
			return
		}
		pod := o.(*corev1.Pod)
		if e.Type == watch.Deleted || pod.Spec.NodeName == "" || c.silent(pod.Spec.NodeName) {
			return
		}
		if err := c.runPod(ctx, pod); err != nil && ctx.Err() == nil && !apierrors.IsNotFound(err) {
			c.t.Error(err)
		}
	})
}

func (c *cluster) runPod(ctx context.Context, pod *corev1.Pod) error {
	if pod.DeletionTimestamp != nil {
		return c.pods.Delete(ctx, pod.Namespace, pod.Name, metav1.DeleteOptions{GracePeriodSeconds: ptr.To[int64](0)})
	}
	if owner := metav1.GetControllerOf(pod); pod.Status.Phase == corev1.PodRunning && owner != nil && owner.Kind == kind.Job.Kind {
		_, err := c.pods.UpdateStatus(ctx, pod.Namespace, pod.Name, func(p *corev1.Pod) error {
			p.Status.Phase, p.Status.Conditions = corev1.PodSucceeded, nil
			return nil
		})
		return err
	}
	if pod.Status.Phase != corev1.PodPending {
		return nil
	}
	_, err := c.pods.UpdateStatus(ctx, pod.Namespace, pod.Name, func(p *corev1.Pod) error {
		p.Status.Phase = corev1.PodRunning
		p.Status.Conditions = append(p.Status.Conditions, corev1.PodCondition{
			Type: corev1.PodReady, Status: corev1.ConditionTrue, LastTransitionTime: metav1.Now(),
		})
		return nil
	})
	return err
}

// made ends the test when a verb failed.
func made(t testing.TB) func(any, error) {
	return func(_ any, err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
}

func webDeployment(replicas int32, mutate ...func(*appsv1.Deployment)) *appsv1.Deployment {
	labels := map[string]string{"app": "web"}
	d := &appsv1.Deployment{
		ObjectMeta: metav1.ObjectMeta{Namespace: "default", Name: "web"},
		Spec: appsv1.DeploymentSpec{
			Replicas: &replicas,
			Selector: &metav1.LabelSelector{MatchLabels: labels},
			Template: corev1.PodTemplateSpec{
				ObjectMeta: metav1.ObjectMeta{Labels: labels},
				Spec:       corev1.PodSpec{Containers: []corev1.Container{{Name: "main", Image: "web:1"}}},
			},
		},
	}
	for _, m := range mutate {
		m(d)
	}
	return d
}

// rolledOut tells that a Deployment has so many replicas, all new and available, and no others.
func (c *cluster) rolledOut(replicas int32) bool {
	d, ok := c.deployments.Get("default", "web")
	if !ok {
		return false
	}
	s := d.Status
	return s.ObservedGeneration == d.Generation && s.Replicas == replicas && s.UpdatedReplicas == replicas &&
		s.AvailableReplicas == replicas && s.ReadyReplicas == replicas && len(c.alive()) == int(replicas)
}

// alive are the pods that are not on their way out.
func (c *cluster) alive() []*corev1.Pod {
	return c.pods.List("default", func(p *corev1.Pod) bool { return p.DeletionTimestamp == nil })
}

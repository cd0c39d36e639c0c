package controller_test

import (
	"context"
	"flag"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	policyv1 "k8s.io/api/policy/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
	"k8s.io/utils/ptr"

	clientv3 "go.etcd.io/etcd/client/v3"

	"leme/server/kind"
	"leme/server/resource"
	"leme/server/store"
	"leme/server/store/storetest"
)

var kills = flag.Int("leader.kills", 2, "how often the leader is killed in the middle of each kind of work")

// masters are servers over one etcd, of which one leads until it is killed.
type masters struct {
	*cluster
	t     *testing.T
	etcd  *storetest.Etcd
	admin *clientv3.Client
	ctx   context.Context
	dice  *rand.Rand

	line  *storetest.Proxy // of the one that leads
	end   context.CancelFunc
	ended sync.WaitGroup
}

func newMasters(t *testing.T, seed uint64) *masters {
	etcd := storetest.NewEtcd(t, 1, nil)
	s := storetest.Open(t, store.Config{Endpoints: etcd.Endpoints(), Decode: storetest.Decode})
	c, ctx, _ := clusterOver(t, s, "a", "b")
	m := &masters{cluster: c, t: t, etcd: etcd, admin: etcd.Client(), ctx: ctx, dice: rand.New(rand.NewPCG(seed, 1))}
	m.start()
	t.Cleanup(func() { m.end(); m.ended.Wait() })
	return m
}

// start starts a server that will lead.
func (m *masters) start() {
	m.line = storetest.NewProxy(m.t, m.etcd.Endpoints()[0])
	s, stop := storetest.Start(m.t, store.Config{Endpoints: []string{m.line.Addr()}, Decode: storetest.Decode})
	api := resource.New(s, kind.All())
	var ctx context.Context
	ctx, m.end = context.WithCancel(m.ctx)
	m.ended.Go(func() {
		defer stop()
		_ = m.lead(ctx, api) // it is cut off in the middle: whatever it says then
	})
}

// kill ends the leader in the middle of what it does: nothing that it still sends arrives, its lease runs out, and
// another server leads. So that nobody waits for the lease, its time is made to be over.
func (m *masters) kill() {
	m.t.Helper()
	m.line.Cut(true)
	m.end()
	m.ended.Wait()
	candidates, err := m.admin.Get(m.ctx, "/leme-leader/", clientv3.WithPrefix())
	if err != nil {
		m.t.Fatal(err)
	}
	for _, kv := range candidates.Kvs {
		if _, err := m.admin.Revoke(m.ctx, clientv3.LeaseID(kv.Lease)); err != nil {
			m.t.Log(err) // it was over
		}
	}
	m.start()
}

// soon returns after some changes in the cluster, or when what is waited for is so already.
func (m *masters) soon(done func() bool) {
	timeout := time.NewTimer(patient)
	defer timeout.Stop()
	for range 1 + m.dice.IntN(25) {
		if done() {
			return
		}
		select {
		case <-m.changed:
		case <-timeout.C:
			m.t.Fatalf("nothing happens\n%s", m.dump())
		}
	}
}

// work is something that a cluster does in many steps.
type work struct {
	name  string
	begin func(m *masters, round int)
	done  func(m *masters) bool
}

// TestTheLeaderIsKilled kills the leader at any moment of each kind of work, over and over: each ends as if nothing had
// happened. -leader.kills=50 looks longer.
func TestTheLeaderIsKilled(t *testing.T) {
	t.Parallel()
	for i, w := range []work{
		{"rollout", rollOut, func(m *masters) bool { return m.rolledOut(4) && m.onlyLatest() }},
		{"job", runJob, func(m *masters) bool { return m.jobDone() }},
		{"cron job", runCron, func(m *masters) bool { return m.cronDone() }},
		{"stateful set", rollSet, func(m *masters) bool { return m.setDone() }},
		{"drain", drain, func(m *masters) bool { return m.drained() }},
		{"namespace", removeNamespace, func(m *masters) bool { return m.namespaceGone() }},
	} {
		t.Run(w.name, func(t *testing.T) {
			t.Parallel()
			m := newMasters(t, uint64(i))
			for round := range *kills {
				w.begin(m, round)
				done := func() bool { return w.done(m) }
				m.soon(done)
				m.kill()
				m.await(fmt.Sprintf("%s, round %d: it ends", w.name, round), done)
			}
		})
	}
}

func rollOut(m *masters, round int) {
	image := fmt.Sprint("web:", round)
	if round == 0 {
		made(m.t)(m.deployments.Create(m.ctx, webDeployment(4)))
		return
	}
	made(m.t)(m.deployments.Update(m.ctx, "default", "web", func(d *appsv1.Deployment) error {
		d.Spec.Template.Spec.Containers[0].Image = image
		return nil
	}))
}

// onlyLatest tells that one ReplicaSet has all pods, and each pod is its.
func (m *masters) onlyLatest() bool {
	with := 0
	for _, rs := range m.sets.List("default", nil) {
		if *rs.Spec.Replicas > 0 || rs.Status.Replicas > 0 {
			with++
		}
	}
	return with == 1 && len(m.pods.List("default", nil)) == 4
}

func template(restart corev1.RestartPolicy) corev1.PodTemplateSpec {
	return corev1.PodTemplateSpec{
		ObjectMeta: metav1.ObjectMeta{Labels: map[string]string{"app": "work"}},
		Spec:       corev1.PodSpec{RestartPolicy: restart, Containers: []corev1.Container{{Name: "main", Image: "work:1"}}},
	}
}

func (m *masters) jobs() resource.Typed[*batchv1.Job] {
	return resource.For[*batchv1.Job](m.api, kind.Job, tester)
}

func runJob(m *masters, round int) {
	made(m.t)(m.jobs().Create(m.ctx, &batchv1.Job{
		ObjectMeta: metav1.ObjectMeta{Namespace: "default", Name: fmt.Sprint("sum-", round)},
		Spec: batchv1.JobSpec{
			Completions: ptr.To[int32](6), Parallelism: ptr.To[int32](3), CompletionMode: ptr.To(batchv1.IndexedCompletion),
			Template: template(corev1.RestartPolicyNever),
		},
	}))
}

// jobDone tells that every Job has counted each of its pods once, and holds none any more.
func (m *masters) jobDone() bool {
	jobs := m.jobs().List("default", nil)
	for _, j := range jobs {
		if j.Status.CompletionTime == nil || j.Status.Succeeded != 6 || j.Status.Failed != 0 || j.Status.CompletedIndexes != "0-5" {
			return false
		}
	}
	held := m.pods.List("default", func(p *corev1.Pod) bool { return len(p.Finalizers) > 0 })
	return len(held) == 0 && len(m.pods.List("default", nil)) == 6*len(jobs)
}

func (m *masters) crons() resource.Typed[*batchv1.CronJob] {
	return resource.For[*batchv1.CronJob](m.api, kind.CronJob, tester)
}

func runCron(m *masters, round int) {
	name := fmt.Sprint("tick-", round)
	made(m.t)(m.crons().Create(m.ctx, &batchv1.CronJob{
		ObjectMeta: metav1.ObjectMeta{Namespace: "default", Name: name},
		Spec: batchv1.CronJobSpec{
			Schedule: "0 0 1 1 *", ConcurrencyPolicy: batchv1.ForbidConcurrent,
			JobTemplate: batchv1.JobTemplateSpec{Spec: batchv1.JobSpec{Template: template(corev1.RestartPolicyNever)}},
		},
	}))
	made(m.t)(m.crons().UpdateStatus(m.ctx, "default", name, func(c *batchv1.CronJob) error {
		c.Status.LastScheduleTime = ptr.To(metav1.NewTime(time.Now().AddDate(-1, 0, 0))) // the first of January was missed
		return nil
	}))
}

// cronDone tells that each CronJob has made one Job, which has run one pod, and has seen that.
func (m *masters) cronDone() bool {
	crons := m.crons().List("default", nil)
	for _, c := range crons {
		if c.Status.LastSuccessfulTime == nil || len(c.Status.Active) > 0 || time.Since(c.Status.LastScheduleTime.Time) > 366*24*time.Hour {
			return false
		}
	}
	return len(m.jobs().List("default", nil)) == len(crons) && len(m.pods.List("default", nil)) == len(crons)
}

func (m *masters) stateful() resource.Typed[*appsv1.StatefulSet] {
	return resource.For[*appsv1.StatefulSet](m.api, kind.StatefulSet, tester)
}

func rollSet(m *masters, round int) {
	if round == 0 {
		made(m.t)(m.stateful().Create(m.ctx, &appsv1.StatefulSet{
			ObjectMeta: metav1.ObjectMeta{Namespace: "default", Name: "db"},
			Spec: appsv1.StatefulSetSpec{
				Replicas: ptr.To[int32](3), ServiceName: "db", Template: template(corev1.RestartPolicyAlways),
				Selector: &metav1.LabelSelector{MatchLabels: map[string]string{"app": "work"}},
			},
		}))
		return
	}
	made(m.t)(m.stateful().Update(m.ctx, "default", "db", func(s *appsv1.StatefulSet) error {
		s.Spec.Template.Spec.Containers[0].Image = fmt.Sprint("work:", round+1)
		return nil
	}))
}

func (m *masters) setDone() bool {
	s, ok := m.stateful().Get("default", "db")
	if !ok || s.Status.ObservedGeneration != s.Generation || s.Status.CurrentRevision != s.Status.UpdateRevision || s.Status.AvailableReplicas != 3 {
		return false
	}
	pods := m.pods.List("default", nil)
	for i, p := range pods {
		if p.Name != fmt.Sprint("db-", i) || p.Spec.Containers[0].Image != s.Spec.Template.Spec.Containers[0].Image {
			return false
		}
	}
	return len(pods) == 3
}

// drain cordons the node on which the first pod is and evicts all that is there, as the budget allows.
func drain(m *masters, round int) {
	if round == 0 {
		made(m.t)(m.deployments.Create(m.ctx, webDeployment(3)))
		made(m.t)(resource.For[*policyv1.PodDisruptionBudget](m.api, kind.PodDisruptionBudget, tester).Create(m.ctx, &policyv1.PodDisruptionBudget{
			ObjectMeta: metav1.ObjectMeta{Namespace: "default", Name: "web"},
			Spec: policyv1.PodDisruptionBudgetSpec{
				MinAvailable: ptr.To(intstr.FromInt32(2)), Selector: &metav1.LabelSelector{MatchLabels: map[string]string{"app": "web"}},
			},
		}))
		m.await("3 replicas run", func() bool { return m.rolledOut(3) })
	}
	closed := []string{"a", "b"}[round%2]
	for _, name := range []string{"a", "b"} {
		made(m.t)(m.nodes.Update(m.ctx, "", name, func(n *corev1.Node) error {
			n.Spec.Unschedulable = name == closed
			return nil
		}))
	}
}

// drained evicts what is still on the closed node, and tells that nothing is, and all runs elsewhere.
func (m *masters) drained() bool {
	ready, left := 0, 0
	for _, p := range m.pods.List("default", nil) {
		n, _ := m.nodes.Get("", p.Spec.NodeName)
		if p.DeletionTimestamp == nil && len(p.Status.Conditions) > 0 && p.Status.Phase == corev1.PodRunning {
			ready++
		}
		if n == nil || !n.Spec.Unschedulable {
			continue
		}
		left++
		if p.DeletionTimestamp == nil {
			target := resource.Target{Kind: kind.Pod, Namespace: p.Namespace, Name: p.Name, Subresource: "eviction", User: tester}
			eviction := &policyv1.Eviction{ObjectMeta: metav1.ObjectMeta{Namespace: p.Namespace, Name: p.Name}}
			_, _ = m.api.Create(m.ctx, target, eviction, metav1.CreateOptions{}) // the budget may refuse it: it is tried again
		}
	}
	if ready < 2 {
		m.t.Fatalf("%d pods run, at least 2 must\n%s", ready, m.dump())
	}
	return left == 0 && m.rolledOut(3)
}

func removeNamespace(m *masters, round int) {
	name := fmt.Sprint("shop-", round)
	made(m.t)(m.namespaces.Create(m.ctx, &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: name}}))
	made(m.t)(m.deployments.Create(m.ctx, webDeployment(3, func(d *appsv1.Deployment) { d.Namespace = name })))
	m.await("3 pods run", func() bool {
		return len(m.pods.List(name, func(p *corev1.Pod) bool { return p.Status.Phase == corev1.PodRunning })) == 3
	})
	if err := m.namespaces.Delete(m.ctx, "", name, metav1.DeleteOptions{}); err != nil {
		m.t.Fatal(err)
	}
}

func (m *masters) namespaceGone() bool {
	for _, ns := range m.namespaces.List("", nil) {
		if ns.DeletionTimestamp != nil {
			return false
		}
	}
	return len(m.pods.List("", nil)) == 0 && len(m.sets.List("", nil)) == 0
}

package test

import (
	"context"
	"slices"
	"strings"
	"testing"
	"time"

	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	policyv1 "k8s.io/api/policy/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
)

// A CronJob whose last run was a while ago, as after an outage, runs at once: one Job, of the latest time that was
// missed, and nothing for those before.
func TestCronJobCatchesUp(t *testing.T) {
	t.Parallel()
	s := sharedSpace(t)
	crons := s.client.BatchV1().CronJobs(s.namespace)
	cron, err := crons.Create(t.Context(), &batchv1.CronJob{
		ObjectMeta: metav1.ObjectMeta{Name: "each-hour"},
		Spec: batchv1.CronJobSpec{
			Schedule: "0 * * * *", Suspend: ptr(true),
			JobTemplate: batchv1.JobTemplateSpec{Spec: batchv1.JobSpec{Template: corev1.PodTemplateSpec{
				Spec: s.tool(t, "", "echo done", never).Spec,
			}}},
		},
	}, metav1.CreateOptions{})
	must(t, err)
	missed := time.Now().Truncate(time.Hour)
	cron.Status.LastScheduleTime = ptr(metav1.NewTime(missed.Add(-5 * time.Hour)))
	cron, err = crons.UpdateStatus(t.Context(), cron, metav1.UpdateOptions{})
	must(t, err)
	cron.Spec.Suspend = ptr(false)
	_, err = crons.Update(t.Context(), cron, metav1.UpdateOptions{})
	must(t, err)

	eventually(t, "the missed run is made up for", func() bool {
		c, err := crons.Get(t.Context(), "each-hour", metav1.GetOptions{})
		must(t, err)
		return c.Status.LastSuccessfulTime != nil && len(c.Status.Active) == 0 && !c.Status.LastScheduleTime.Time.Before(missed)
	})
	jobs, err := s.client.BatchV1().Jobs(s.namespace).List(t.Context(), metav1.ListOptions{})
	must(t, err)
	if len(jobs.Items) > 2 || len(jobs.Items) == 2 && time.Now().Truncate(time.Hour).Equal(missed) {
		t.Errorf("there are %d jobs", len(jobs.Items))
	}
	for _, j := range jobs.Items {
		if at := j.Annotations[batchv1.CronJobScheduledTimestampAnnotation]; at < missed.UTC().Format(time.RFC3339) || j.Status.Succeeded != 1 {
			t.Errorf("job %s of %s: %+v", j.Name, at, j.Status)
		}
	}
}

// Draining a node waits for budgets: what may not be disrupted stays until that is allowed.
func TestDrainRespectsBudgets(t *testing.T) {
	c := ownCluster(t)
	must(t, c.up())
	s := c.space(t, "default")
	s.deployment(t, "web", "stay", 2)
	s.deployment(t, "free", "stay", 1)
	s.awaitReplicas(t, "web", 2)
	s.awaitReplicas(t, "free", 1)
	budgets := s.client.PolicyV1().PodDisruptionBudgets(s.namespace)
	_, err := budgets.Create(t.Context(), &policyv1.PodDisruptionBudget{
		ObjectMeta: metav1.ObjectMeta{Name: "web"},
		Spec: policyv1.PodDisruptionBudgetSpec{
			MinAvailable: ptr(intstr.FromInt32(2)), Selector: &metav1.LabelSelector{MatchLabels: map[string]string{"app": "web"}},
		},
	}, metav1.CreateOptions{})
	must(t, err)
	eventually(t, "the budget allows none to go", func() bool {
		b, err := budgets.Get(t.Context(), "web", metav1.GetOptions{})
		must(t, err)
		return b.Status.CurrentHealthy == 2 && b.Status.DisruptionsAllowed == 0 && b.Status.ObservedGeneration == b.Generation
	})

	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	out, err := c.kubectl(ctx, "drain", c.node, "--timeout=10s", "--ignore-daemonsets", "--delete-emptydir-data").CombinedOutput()
	if err == nil || !strings.Contains(string(out), "Cannot evict pod as it would violate the pod's disruption budget") {
		t.Errorf("%v\n%s", err, out)
	}
	if got := s.running(t, "app=web"); got != 2 {
		t.Errorf("%d of the protected pods run", got)
	}
	eventually(t, "the unprotected pod has gone", func() bool { return s.running(t, "app=free") == 0 })

	must(t, budgets.Delete(t.Context(), "web", metav1.DeleteOptions{}))
	c.mustKubectl(t, "drain", c.node, "--timeout=60s", "--ignore-daemonsets", "--delete-emptydir-data")
	if got := s.running(t, "app=web"); got != 0 {
		t.Errorf("%d pods are left on the drained node", got)
	}
	c.mustKubectl(t, "uncordon", c.node)
	s.awaitReplicas(t, "web", 2)
	s.awaitReplicas(t, "free", 1)
}

// running counts the ready pods with labels that nobody stops.
func (s space) running(t *testing.T, labels string) int {
	t.Helper()
	pods, err := s.client.CoreV1().Pods(s.namespace).List(t.Context(), metav1.ListOptions{LabelSelector: labels})
	must(t, err)
	return len(slices.DeleteFunc(pods.Items, func(p corev1.Pod) bool { return p.DeletionTimestamp != nil || !isReady(&p) }))
}

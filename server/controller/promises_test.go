package controller

import (
	"fmt"
	"slices"
	"testing"
	"time"

	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	policyv1 "k8s.io/api/policy/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/intstr"
	"k8s.io/utils/ptr"
	"pgregory.net/rapid"
)

// TestCronJobsKeepTheirPolicy lets time pass, with outages, Jobs end, and the controller be cut off between making a Job
// and writing that down: no time gets two Jobs, none is made for a time to come, and the policy holds.
func TestCronJobsKeepTheirPolicy(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		policy := rapid.SampledFrom([]batchv1.ConcurrencyPolicy{batchv1.AllowConcurrent, batchv1.ForbidConcurrent, batchv1.ReplaceConcurrent}).Draw(t, "policy")
		cron := testCron(func(c *batchv1.CronJob) {
			c.Spec.Schedule = rapid.SampledFrom([]string{"* * * * *", "*/15 * * * *", "0 9 * * 1-5", "30 2 * * *"}).Draw(t, "schedule")
			c.Spec.TimeZone = ptr.To(rapid.SampledFrom([]string{"Etc/UTC", "Europe/Zurich", "Asia/Kolkata"}).Draw(t, "zone"))
			c.Spec.ConcurrencyPolicy = policy
			c.Spec.SuccessfulJobsHistoryLimit, c.Spec.FailedJobsHistoryLimit = ptr.To(rapid.Int32Range(0, 2).Draw(t, "kept")), ptr.To[int32](1)
		})
		now, ever := testNow, map[string]bool{}
		var jobs []*batchv1.Job
		for range rapid.IntRange(1, 60).Draw(t, "steps") {
			now = now.Add(time.Duration(rapid.SampledFrom([]int{1, 20, 60, 900, 86_400, 700_000}).Draw(t, "seconds")) * time.Second)
			for _, j := range jobs {
				if !jobFinished(&j.Status) && rapid.Bool().Draw(t, "ends") {
					ended := rapid.SampledFrom([]batchv1.JobConditionType{batchv1.JobComplete, batchv1.JobFailed}).Draw(t, "how")
					j.Status.Conditions = []batchv1.JobCondition{*newJobCondition(ended, "", "", now)}
					j.Status.CompletionTime = ptr.To(metav1.NewTime(now))
				}
			}
			plan := planCronJob(cron, jobs, now)
			jobs = slices.DeleteFunc(jobs, func(j *batchv1.Job) bool { return slices.Contains(plan.replace, j) })
			if !plan.create.IsZero() {
				job, err := jobOfCron(cron, plan.create)
				if err != nil {
					t.Fatal(err)
				}
				if plan.create.After(now) || ever[job.Name] {
					t.Fatalf("a job for %v, at %v; made before: %t", plan.create, now, ever[job.Name])
				}
				ever[job.Name] = true
				job.UID = types.UID(job.Name)
				jobs = append(jobs, job)
				plan.status.Active, plan.status.LastScheduleTime = append(plan.status.Active, referenceTo(job)), ptr.To(metav1.NewTime(plan.create))
			}
			if rapid.IntRange(0, 3).Draw(t, "is cut off") > 0 {
				cron.Status = plan.status
				jobs = slices.DeleteFunc(jobs, func(j *batchv1.Job) bool { return slices.Contains(plan.remove, j) })
			}
			running := 0
			for _, j := range jobs {
				if !jobFinished(&j.Status) {
					running++
				}
			}
			if policy != batchv1.AllowConcurrent && running > 1 {
				t.Fatalf("%d run at once", running)
			}
		}
		plan := planCronJob(cron, jobs, now)
		cron.Status = plan.status
		jobs = slices.DeleteFunc(jobs, func(j *batchv1.Job) bool { return slices.Contains(plan.remove, j) })
		if again := planCronJob(cron, jobs, now); !again.create.IsZero() || len(again.remove)+len(again.replace) > 0 {
			t.Fatalf("still to do: %s", again)
		}
	})
}

// TestBudgetsHold has pods come, become ready and be evicted as the budget allows, with the controller looking only now
// and then: evictions never leave fewer healthy pods than are desired.
func TestBudgetsHold(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		wanted := rapid.Int32Range(1, 8).Draw(t, "wanted")
		scale := func(*metav1.OwnerReference) (types.UID, int32, bool) { return "web", wanted, true }
		b := &policyv1.PodDisruptionBudget{}
		bound := rapid.SampledFrom([]intstr.IntOrString{intstr.FromInt32(0), intstr.FromInt32(1), intstr.FromInt32(3), intstr.FromString("50%"), intstr.FromString("100%")}).Draw(t, "bound")
		if rapid.Bool().Draw(t, "least") {
			b.Spec.MinAvailable = &bound
		} else {
			b.Spec.MaxUnavailable = &bound
		}
		var pods []*corev1.Pod
		made, now := 0, testNow
		healthy := func() (n int32) {
			for _, p := range pods {
				if _, ready := podReady(p); ready && p.DeletionTimestamp == nil {
					n++
				}
			}
			return n
		}
		for range rapid.IntRange(1, 100).Draw(t, "steps") {
			now = now.Add(time.Second)
			switch rapid.IntRange(0, 4).Draw(t, "what") {
			case 0:
				if int32(len(pods)) < wanted {
					made++
					pods = append(pods, testPod(fmt.Sprint("web-", made), controlledBy("web"), unready))
				}
			case 1:
				if len(pods) > 0 {
					readyFor := testPod("").Status
					pods[rapid.IntRange(0, len(pods)-1).Draw(t, "ready")].Status = readyFor
				}
			case 2:
				b.Status = planBudget(b, pods, scale, now).status
			case 3:
				if len(pods) == 0 || b.Status.DisruptionsAllowed == 0 {
					continue
				}
				p := pods[rapid.IntRange(0, len(pods)-1).Draw(t, "evicted")]
				if _, ready := podReady(p); !ready || p.DeletionTimestamp != nil {
					continue
				}
				b.Status.DisruptionsAllowed--
				if b.Status.DisruptedPods == nil {
					b.Status.DisruptedPods = map[string]metav1.Time{}
				}
				b.Status.DisruptedPods[p.Name] = metav1.NewTime(now)
				leaving(p)
				if n := healthy(); n < b.Status.DesiredHealthy {
					t.Fatalf("%d are healthy, %d are desired", n, b.Status.DesiredHealthy)
				}
			case 4:
				pods = slices.DeleteFunc(pods, func(p *corev1.Pod) bool { return p.DeletionTimestamp != nil })
			}
		}
		b.Status = planBudget(b, pods, scale, now).status
		if again := planBudget(b, pods, scale, now).status; again.DisruptionsAllowed != b.Status.DisruptionsAllowed || again.CurrentHealthy != b.Status.CurrentHealthy {
			t.Fatalf("told %+v, then %+v", b.Status, again)
		}
	})
}

// TestSlicesListEachPodOnce has pods come, go and change in any way: after each plan every one that serves is listed
// once, no slice is too full, and there is nothing left to do.
func TestSlicesListEachPodOnce(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := testService()
		pods := map[int]*corev1.Pod{}
		var current []*discoveryv1.EndpointSlice
		for step := range rapid.IntRange(1, 6).Draw(t, "steps") {
			for n := range rapid.IntRange(0, 260).Draw(t, "pods") {
				switch (n*7 + step*rapid.IntRange(1, 5).Draw(t, "mix")) % 6 {
				case 0:
					delete(pods, n)
				case 1:
					pods[n] = endpointPod(n, notReady)
				case 2:
					pods[n] = endpointPod(n, terminating)
				default:
					pods[n] = endpointPod(n)
				}
			}
			var list []*corev1.Pod
			for _, p := range pods {
				list = append(list, p)
			}
			current = carriedOut(current, planned(s, list, current))
			for i, slice := range current {
				slice.Name = fmt.Sprint("web-", step, "-", i)
			}
			listed := map[types.UID]int{}
			for _, slice := range current {
				if len(slice.Endpoints) > maxSliceEndpoints {
					t.Fatalf("%d endpoints in a slice", len(slice.Endpoints))
				}
				for _, e := range slice.Endpoints {
					listed[e.TargetRef.UID]++
				}
			}
			for _, p := range list {
				if listed[p.UID] != 1 {
					t.Fatalf("%s is listed %d times", p.Name, listed[p.UID])
				}
			}
			if len(listed) != len(list) {
				t.Fatalf("%d are listed, there are %d", len(listed), len(list))
			}
			if again := planned(s, list, current).String(); again != "" {
				t.Fatalf("still to do: %s", again)
			}
		}
	})
}

// TestGarbageGoes makes objects that own each other in any way, circles among them, deletes some, and collects in any
// order: what has an owner left stays, what has none left goes, and what never had one is not touched.
func TestGarbageGoes(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(1, 12).Draw(t, "objects")
		objects := map[types.UID]*metav1.ObjectMeta{}
		free := map[types.UID]bool{}
		for i := range n {
			o := &metav1.ObjectMeta{UID: types.UID(fmt.Sprint(i))}
			for range rapid.IntRange(0, 2).Draw(t, "owners") {
				o.OwnerReferences = append(o.OwnerReferences, metav1.OwnerReference{UID: types.UID(fmt.Sprint(rapid.IntRange(0, n).Draw(t, "owner")))})
			}
			objects[o.UID], free[o.UID] = o, len(o.OwnerReferences) == 0
		}
		for i := range n {
			if rapid.IntRange(0, 3).Draw(t, "deleted") == 0 {
				delete(objects, types.UID(fmt.Sprint(i)))
				delete(free, types.UID(fmt.Sprint(i)))
			}
		}
		state := func(ref metav1.OwnerReference) ownerState {
			if objects[ref.UID] == nil {
				return ownerAbsent
			}
			return ownerSolid
		}
		order := make([]int, n)
		for i := range order {
			order[i] = i
		}
		for busy := true; busy; {
			busy = false
			for _, i := range rapid.Permutation(order).Draw(t, "order") {
				o := objects[types.UID(fmt.Sprint(i))]
				if o == nil {
					continue
				}
				plan := planCollect(o, state, nil)
				busy = busy || plan.String() != "nothing"
				if plan.remove {
					delete(objects, o.UID)
				} else {
					dropOwners(plan.dropOwners...)(o)
				}
			}
		}
		for uid, o := range objects {
			if plan := planCollect(o, state, nil).String(); plan != "nothing" {
				t.Fatalf("still to do for %s: %s", uid, plan)
			}
			if len(o.OwnerReferences) > 0 && !slices.ContainsFunc(o.OwnerReferences, func(r metav1.OwnerReference) bool { return objects[r.UID] != nil }) {
				t.Fatalf("%s has no owner left", uid)
			}
		}
		for uid, is := range free {
			if is && objects[uid] == nil {
				t.Fatalf("%s had no owner, and was collected", uid)
			}
		}
	})
}

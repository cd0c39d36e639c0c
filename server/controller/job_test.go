package controller

import (
	"fmt"
	"strconv"
	"testing"
	"time"

	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/utils/ptr"
	"pgregory.net/rapid"
)

// testJob wants three pods to succeed, two at a time.
func testJob(mutate ...func(*batchv1.Job)) *batchv1.Job {
	j := &batchv1.Job{Spec: batchv1.JobSpec{
		Completions: ptr.To[int32](3), Parallelism: ptr.To[int32](2), BackoffLimit: ptr.To[int32](6),
		Template: corev1.PodTemplateSpec{Spec: corev1.PodSpec{RestartPolicy: corev1.RestartPolicyNever, Containers: []corev1.Container{{Name: "main"}}}},
	}}
	j.Name, j.Namespace, j.UID = "sum", "default", "sum"
	j.Status.StartTime = ptr.To(ago(time.Minute))
	for _, m := range mutate {
		m(j)
	}
	return j
}

func indexedJob(j *batchv1.Job) { j.Spec.CompletionMode = ptr.To(batchv1.IndexedCompletion) }

func perIndexJob(limit int32) func(*batchv1.Job) {
	return func(j *batchv1.Job) {
		indexedJob(j)
		j.Spec.BackoffLimitPerIndex, j.Spec.BackoffLimit = &limit, ptr.To[int32](1_000)
	}
}

func suspendedJob(j *batchv1.Job) { j.Spec.Suspend = ptr.To(true) }

func onlyFailedReplaced(j *batchv1.Job) { j.Spec.PodReplacementPolicy = ptr.To(batchv1.Failed) }

func failureRule(rule batchv1.PodFailurePolicyRule) func(*batchv1.Job) {
	return func(j *batchv1.Job) {
		j.Spec.PodFailurePolicy = &batchv1.PodFailurePolicy{Rules: []batchv1.PodFailurePolicyRule{rule}}
	}
}

// trackedPod is one of a Job that has not been counted.
func trackedPod(name string, mutate ...func(*corev1.Pod)) *corev1.Pod {
	return testPod(name, append([]func(*corev1.Pod){func(p *corev1.Pod) { p.Finalizers = []string{jobFinalizer} }}, mutate...)...)
}

func atIndex(i int) func(*corev1.Pod) {
	return func(p *corev1.Pod) {
		p.Annotations = map[string]string{batchv1.JobCompletionIndexAnnotation: strconv.Itoa(i)}
	}
}

func failedBefore(n int) func(*corev1.Pod) {
	return func(p *corev1.Pod) { p.Annotations[batchv1.JobIndexFailureCountAnnotation] = strconv.Itoa(n) }
}

func exited(code int32, before time.Duration) func(*corev1.Pod) {
	return func(p *corev1.Pod) {
		p.Status.Phase = corev1.PodSucceeded
		if code != 0 {
			p.Status.Phase = corev1.PodFailed
		}
		p.Status.ContainerStatuses = []corev1.ContainerStatus{{Name: "main", State: corev1.ContainerState{
			Terminated: &corev1.ContainerStateTerminated{ExitCode: code, FinishedAt: ago(before)}}}}
	}
}

func TestPlanJob(t *testing.T) {
	succeeded, failed := exited(0, time.Minute), exited(1, time.Hour)
	met := func(j *batchv1.Job) {
		j.Status.Conditions = []batchv1.JobCondition{*newJobCondition(batchv1.JobSuccessCriteriaMet, "CompletionsReached", "m", testNow)}
		j.Status.Succeeded = 3
	}
	onCode := func(action batchv1.PodFailurePolicyAction) func(*batchv1.Job) {
		return failureRule(batchv1.PodFailurePolicyRule{Action: action, OnExitCodes: &batchv1.PodFailurePolicyOnExitCodesRequirement{Operator: "In", Values: []int32{1}}})
	}
	for _, test := range []struct {
		name string
		job  *batchv1.Job
		pods []*corev1.Pod
		want string
	}{
		{"begins", testJob(), nil, "create, create"},
		{"runs", testJob(), []*corev1.Pod{trackedPod("a"), trackedPod("b")}, ""},
		{"not more than are missing", testJob(func(j *batchv1.Job) { j.Status.Succeeded = 2 }), nil, "create"},
		{"counts", testJob(), []*corev1.Pod{trackedPod("a", succeeded), trackedPod("b")}, "create, release a"},
		{"has enough", testJob(func(j *batchv1.Job) { j.Status.Succeeded = 2 }), []*corev1.Pod{trackedPod("a", succeeded)}, "release a, SuccessCriteriaMet: CompletionsReached"},
		{"has enough while one runs", testJob(met), []*corev1.Pod{trackedPod("a")}, "end a, release a, SuccessCriteriaMet: CompletionsReached"},
		{"is complete", testJob(met), []*corev1.Pod{testPod("a", succeeded)}, "SuccessCriteriaMet: CompletionsReached, Complete: CompletionsReached"},
		{"waits for who leaves", testJob(met), []*corev1.Pod{testPod("a", leaving)}, "SuccessCriteriaMet: CompletionsReached"},
		{"too many", testJob(func(j *batchv1.Job) { j.Spec.Parallelism = ptr.To[int32](1) }), []*corev1.Pod{trackedPod("a"), trackedPod("b", unready)}, "drop b"},
		{"suspended", testJob(suspendedJob), []*corev1.Pod{trackedPod("a")}, "drop a, Suspended: JobSuspended"},
		{"backs off", testJob(), []*corev1.Pod{trackedPod("a", exited(1, time.Second))}, "release a"},
		{"has backed off", testJob(), []*corev1.Pod{trackedPod("a", exited(1, 11*time.Second))}, "create, create, release a"},
		{"past its limit", testJob(func(j *batchv1.Job) { j.Spec.BackoffLimit = ptr.To[int32](0) }), []*corev1.Pod{trackedPod("a", failed), trackedPod("b")},
			"end b, release a, release b, FailureTarget: BackoffLimitExceeded"},
		{"restarted too often", testJob(func(j *batchv1.Job) {
			j.Spec.BackoffLimit, j.Spec.Template.Spec.RestartPolicy = ptr.To[int32](2), corev1.RestartPolicyOnFailure
		}), []*corev1.Pod{trackedPod("a", func(p *corev1.Pod) { p.Status.ContainerStatuses = []corev1.ContainerStatus{{RestartCount: 2}} })},
			"end a, release a, FailureTarget: BackoffLimitExceeded"},
		{"past its deadline", testJob(func(j *batchv1.Job) { j.Spec.ActiveDeadlineSeconds = ptr.To[int64](60) }), nil, "FailureTarget: DeadlineExceeded, Failed: DeadlineExceeded"},
		{"a pod that ends it", testJob(onCode("FailJob")), []*corev1.Pod{trackedPod("a", failed)}, "release a, FailureTarget: PodFailurePolicy"},
		{"a pod that does not matter", testJob(onCode("Ignore"), func(j *batchv1.Job) { j.Spec.BackoffLimit = ptr.To[int32](0) }),
			[]*corev1.Pod{trackedPod("a", failed)}, "create, create, release a"},
		{"one that leaves counts as failed", testJob(), []*corev1.Pod{trackedPod("a", leaving), trackedPod("b")}, "release a"},
		{"unless it may end", testJob(onlyFailedReplaced), []*corev1.Pod{trackedPod("a", leaving), trackedPod("b")}, ""},
		{"indexes", testJob(indexedJob), []*corev1.Pod{trackedPod("a", atIndex(1))}, "create 0"},
		{"the next index", testJob(indexedJob), []*corev1.Pod{trackedPod("a", atIndex(1), succeeded), trackedPod("b", atIndex(0))}, "create 2, release a"},
		{"an index twice", testJob(indexedJob), []*corev1.Pod{trackedPod("a", atIndex(1)), trackedPod("b", atIndex(1), unready)}, "drop b"},
		{"no index", testJob(indexedJob), []*corev1.Pod{trackedPod("a", atIndex(7))}, "drop a"},
		{"an index fails once", testJob(perIndexJob(1)), []*corev1.Pod{trackedPod("a", atIndex(0), failed), trackedPod("b", atIndex(1))}, "create 0"},
		{"an index has its successor", testJob(perIndexJob(1)), []*corev1.Pod{trackedPod("a", atIndex(0), failed), trackedPod("b", atIndex(0), failedBefore(1)), trackedPod("c", atIndex(1))}, "release a"},
		{"an index fails for good", testJob(perIndexJob(1)), []*corev1.Pod{trackedPod("a", atIndex(0), failedBefore(1), failed), trackedPod("b", atIndex(1))}, "create 2, release a"},
		{"all else is done", testJob(perIndexJob(0), func(j *batchv1.Job) { j.Status.CompletedIndexes = "1,2" }), []*corev1.Pod{trackedPod("a", atIndex(0), failed)}, "release a, FailureTarget: FailedIndexes"},
		{"too many indexes fail", testJob(perIndexJob(0), func(j *batchv1.Job) { j.Spec.MaxFailedIndexes = ptr.To[int32](0) }), []*corev1.Pod{trackedPod("a", atIndex(0), failed)},
			"release a, FailureTarget: MaxFailedIndexesExceeded"},
		{"the ones that matter", testJob(indexedJob, func(j *batchv1.Job) {
			j.Spec.SuccessPolicy = &batchv1.SuccessPolicy{Rules: []batchv1.SuccessPolicyRule{{SucceededIndexes: ptr.To("1")}}}
		}), []*corev1.Pod{trackedPod("a", atIndex(1), succeeded), trackedPod("b", atIndex(0))}, "end b, release b, release a, SuccessCriteriaMet: SuccessPolicy"},
		{"being deleted", testJob(func(j *batchv1.Job) { j.DeletionTimestamp = ptr.To(ago(0)) }), []*corev1.Pod{trackedPod("a")}, "release a"},
	} {
		t.Run(test.name, func(t *testing.T) {
			if got := planJob(test.job, test.pods, testNow).String(); got != test.want {
				t.Errorf("got  %q\nwant %q", got, test.want)
			}
		})
	}
}

func TestJobCountsAndTimes(t *testing.T) {
	plan := planJob(testJob(func(j *batchv1.Job) {
		j.Status.UncountedTerminatedPods = &batchv1.UncountedTerminatedPods{Succeeded: []types.UID{"gone"}, Failed: []types.UID{"kept"}}
	}), []*corev1.Pod{trackedPod("kept", exited(1, time.Second)), trackedPod("new", exited(0, time.Minute))}, testNow)
	s := plan.status
	if s.Succeeded != 1 || s.Failed != 0 || fmt.Sprint(s.UncountedTerminatedPods.Succeeded, s.UncountedTerminatedPods.Failed) != "[new] [kept]" {
		t.Errorf("got %+v", s)
	}
	if plan.again != 9*time.Second {
		t.Errorf("looks again in %v, not when the back-off is over", plan.again)
	}
	j := testJob(func(j *batchv1.Job) { j.Spec.TTLSecondsAfterFinished = ptr.To[int32](60) })
	j.Status.Conditions = []batchv1.JobCondition{*newJobCondition(batchv1.JobComplete, "", "", testNow.Add(-time.Second))}
	if left, expires := jobTimeLeft(j, testNow); left != 59*time.Second || !expires {
		t.Errorf("%v are left", left)
	}
	resumed := planJob(testJob(func(j *batchv1.Job) {
		j.Status.Conditions = []batchv1.JobCondition{*newJobCondition(batchv1.JobSuspended, "", "", testNow)}
	}), nil, testNow).status
	if !resumed.StartTime.Time.Equal(testNow) || resumed.Conditions[0].Status != corev1.ConditionFalse {
		t.Errorf("got %+v", resumed)
	}
}

func TestPodOfJob(t *testing.T) {
	pod := podOfJob(testJob(perIndexJob(2)), jobPod{index: 4, failed: 1})
	if pod.GenerateName != "sum-4-" || pod.Spec.Hostname != "sum-4" || pod.Annotations[batchv1.JobIndexFailureCountAnnotation] != "1" ||
		pod.Labels[batchv1.JobCompletionIndexAnnotation] != "4" || pod.Spec.Containers[0].Env[0].Name != indexVariable || !hasJobFinalizer(pod) {
		t.Errorf("got %+v", pod)
	}
}

// Whatever its pods do, and whenever who carries out a plan dies, a Job ends, runs no more pods at once than it may,
// and counts each pod once.
func TestJobsEndAndCount(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		job := testJob()
		job.Spec.Completions, job.Spec.Parallelism = ptr.To(rapid.Int32Range(0, 6).Draw(t, "completions")), ptr.To(rapid.Int32Range(1, 4).Draw(t, "parallelism"))
		job.Spec.BackoffLimit = ptr.To(rapid.Int32Range(0, 5).Draw(t, "limit"))
		if rapid.Bool().Draw(t, "indexed") {
			indexedJob(job)
		}
		w := &jobWorld{job: job, now: testNow}
		for step := 0; !jobFinished(&job.Status); step++ {
			if step > 2_000 {
				t.Fatalf("it goes on: %+v", job.Status)
			}
			w.apply(planJob(job, w.pods, w.now), rapid.IntRange(0, 4).Draw(t, "dies after"))
			w.now = w.now.Add(time.Minute)
			for _, p := range w.pods {
				if podActive(p) && rapid.Bool().Draw(t, "ends") {
					exited(int32(rapid.IntRange(0, 1).Draw(t, "code")), 0)(p)
					p.Status.ContainerStatuses[0].State.Terminated.FinishedAt.Time = w.now
				}
			}
			if n := len(newJobView(job, w.pods, w.now).active); n > int(*job.Spec.Parallelism) {
				t.Fatalf("%d pods run", n)
			}
		}
		if s := job.Status; hasJobCondition(&s, batchv1.JobComplete) && s.Succeeded < *job.Spec.Completions || s.Succeeded+s.Failed > int32(len(w.pods)) {
			t.Fatalf("of %d pods: %+v", len(w.pods), s)
		}
		if again := planJob(job, w.pods, w.now); len(again.create)+len(again.release)+len(again.end) > 0 {
			t.Fatalf("still to do: %s", again)
		}
	})
}

// jobWorld carries plans out as the controller does, up to a step.
type jobWorld struct {
	job  *batchv1.Job
	pods []*corev1.Pod
	now  time.Time
}

func (w *jobWorld) apply(p jobPlan, steps int) {
	if steps > 0 {
		for _, pod := range append(p.end, p.drop...) {
			pod.Status.Phase = corev1.PodFailed
			pod.DeletionTimestamp = ptr.To(ago(0))
		}
	}
	if steps > 1 {
		for _, planned := range p.create {
			pod := podOfJob(w.job, planned)
			pod.UID = types.UID(strconv.Itoa(len(w.pods)))
			pod.Status.Phase = corev1.PodRunning
			w.pods = append(w.pods, pod)
		}
	}
	if steps > 2 {
		w.job.Status = p.status
	}
	if steps > 3 {
		for _, pod := range p.release {
			dropFinalizer(jobFinalizer)(pod)
		}
	}
}

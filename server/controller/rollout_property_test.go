package controller

import (
	"fmt"
	"slices"
	"testing"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/intstr"
	"k8s.io/utils/ptr"
	"pgregory.net/rapid"
)

// rolloutWorld is a Deployment, its ReplicaSets and their pods, and the two controllers at work on them: each at any
// time, on what the other has told so far, and cut off after any of its writes.
type rolloutWorld struct {
	t    *rapid.T
	d    *appsv1.Deployment
	sets []*appsv1.ReplicaSet
	pods map[types.UID][]*corev1.Pod // by ReplicaSet
	made int
}

func newRolloutWorld(t *rapid.T) *rolloutWorld {
	w := &rolloutWorld{t: t, pods: map[types.UID][]*corev1.Pod{}}
	w.d = testDeployment(rapid.Int32Range(0, 8).Draw(t, "replicas"), w.strategy())
	for i := range rapid.IntRange(0, 2).Draw(t, "old sets") {
		n := rapid.Int32Range(0, 8).Draw(t, "size")
		set := testSet(fmt.Sprint("old-", i), fmt.Sprint("web:old", i), n, available(0), annotated(revisionAnnotation, fmt.Sprint(i+1)))
		w.sets = append(w.sets, set)
		for range rapid.IntRange(0, 9).Draw(t, "pods") {
			w.start(set)
		}
	}
	return w
}

func (w *rolloutWorld) strategy() func(*appsv1.Deployment) {
	if rapid.IntRange(0, 4).Draw(w.t, "strategy") == 0 {
		return recreate
	}
	amount := func(what string) *intstr.IntOrString {
		return ptr.To(rapid.SampledFrom([]intstr.IntOrString{
			intstr.FromInt32(0), intstr.FromInt32(1), intstr.FromInt32(3), intstr.FromString("25%"), intstr.FromString("100%"),
		}).Draw(w.t, what))
	}
	return func(d *appsv1.Deployment) {
		d.Spec.Strategy = appsv1.DeploymentStrategy{
			Type: appsv1.RollingUpdateDeploymentStrategyType, RollingUpdate: &appsv1.RollingUpdateDeployment{MaxSurge: amount("surge"), MaxUnavailable: amount("unavailable")},
		}
	}
}

// start makes a pod in any state.
func (w *rolloutWorld) start(rs *appsv1.ReplicaSet) {
	w.made++
	p := testPod(fmt.Sprint(rs.Name, "-", w.made), rapid.SampledFrom([]func(*corev1.Pod){unscheduled, unready, readyFor(time.Hour), leaving, inPhase(corev1.PodFailed)}).Draw(w.t, "state"))
	w.pods[rs.UID] = append(w.pods[rs.UID], p)
}

// user changes what is wanted.
func (w *rolloutWorld) user() {
	w.d.Generation++
	switch rapid.IntRange(0, 3).Draw(w.t, "change") {
	case 0:
		w.d.Spec.Replicas = ptr.To(rapid.Int32Range(0, 8).Draw(w.t, "replicas"))
	case 1:
		w.d.Spec.Template = testTemplate(fmt.Sprint("web:", rapid.IntRange(1, 3).Draw(w.t, "version")))
	case 2:
		w.d.Spec.Paused = !w.d.Spec.Paused
	case 3:
		w.strategy()(w.d)
	}
}

// deploymentStep lets the Deployment's controller look and write, up to a number of writes.
func (w *rolloutWorld) deploymentStep(writes int) deploymentPlan {
	specBefore, leftBefore := w.left()
	scaling := w.d.Spec.Paused || resized(w.d, w.sets) // each gets its share of the new size, available or not
	plan, err := planDeployment(w.d, w.sets, w.oldPods(), testNow)
	if err != nil {
		w.t.Fatal(err)
	}
	if plan.create != nil && writes > 0 {
		writes--
		rs := plan.create.DeepCopy()
		rs.UID, rs.CreationTimestamp = types.UID(fmt.Sprint(rs.Name, w.made)), metav1.NewTime(testNow.Add(time.Duration(w.made)*time.Second))
		w.made++
		w.sets = append(w.sets, rs)
	}
	for _, u := range plan.update {
		if writes--; writes >= 0 {
			u.set.Spec.Replicas, u.set.Spec.MinReadySeconds, u.set.Annotations = ptr.To(u.replicas), u.minReady, u.annotations
			u.set.Generation++
		}
	}
	for _, rs := range plan.remove {
		if writes--; writes >= 0 {
			w.sets = slices.DeleteFunc(w.sets, func(other *appsv1.ReplicaSet) bool { return other == rs })
		}
	}
	if writes > 0 {
		w.d.Status = plan.status
	}
	if scaling {
		leftBefore = 0
	}
	w.deploymentPromises(plan, specBefore, leftBefore)
	return plan
}

// left is how many pods are asked for, and how many available ones are left when the ReplicaSets have followed.
func (w *rolloutWorld) left() (spec, available int32) {
	for _, rs := range w.sets {
		spec += size(rs)
		available += min(size(rs), rs.Status.AvailableReplicas)
	}
	return spec, available
}

func (w *rolloutWorld) deploymentPromises(plan deploymentPlan, specBefore, leftBefore int32) {
	spec, left := w.left()
	if most := max(specBefore, wanted(w.d)+surge(w.d)); spec > most {
		w.t.Fatalf("%s: %d pods are asked for, at most %d may be", plan, spec, most)
	}
	if w.d.Spec.Strategy.Type == appsv1.RecreateDeploymentStrategyType {
		if plan.create != nil && size(plan.create) > 0 && w.oldPods() > 0 {
			w.t.Fatalf("%s: there are still %d old pods", plan, w.oldPods())
		}
		return
	}
	if least := min(leftBefore, wanted(w.d)-unavailable(w.d)); left < least {
		w.t.Fatalf("%s: %d available pods are left of %d, at least %d must be", plan, left, leftBefore, least)
	}
}

// oldPods are those of other templates that have not ended.
func (w *rolloutWorld) oldPods() (n int) {
	fresh := findNew(w.d, w.sets)
	for _, rs := range w.sets {
		if rs != fresh {
			for _, p := range w.pods[rs.UID] {
				if !podFinished(p) {
					n++
				}
			}
		}
	}
	return n
}

// setStep lets the ReplicaSets' controller look at one of them and write, up to a number of writes.
func (w *rolloutWorld) setStep(rs *appsv1.ReplicaSet, writes int) replicaSetPlan {
	owned := w.pods[rs.UID]
	activeBefore, readyBefore := activeAndReady(owned)
	plan := planReplicaSet(rs, owned, func() map[string]int { return crowds(owned) }, testNow)
	for range plan.create {
		if writes--; writes >= 0 {
			w.made++
			w.pods[rs.UID] = append(w.pods[rs.UID], testPod(fmt.Sprint(rs.Name, "-", w.made), unscheduled))
		}
	}
	for _, p := range plan.remove {
		if writes--; writes >= 0 {
			leaving(p)
		}
	}
	if writes > 0 {
		rs.Status = plan.status
	}
	active, ready := activeAndReady(w.pods[rs.UID])
	if active > max(activeBefore, int(size(rs))) {
		w.t.Fatalf("%s: %d pods for %d", plan, active, size(rs))
	}
	if ready < min(readyBefore, int(size(rs))) {
		w.t.Fatalf("%s: %d ready pods are left of %d, %d are asked for", plan, ready, readyBefore, size(rs))
	}
	return plan
}

func activeAndReady(pods []*corev1.Pod) (active, ready int) {
	for _, p := range pods {
		if podActive(p) {
			active++
			if _, ok := podReady(p); ok {
				ready++
			}
		}
	}
	return active, ready
}

// agents lets some pods come up, and some go.
func (w *rolloutWorld) agents(all bool) {
	for _, rs := range w.sets {
		w.pods[rs.UID] = slices.DeleteFunc(w.pods[rs.UID], func(p *corev1.Pod) bool {
			switch {
			case !all && rapid.Bool().Draw(w.t, "waits"):
			case p.DeletionTimestamp != nil:
				return true
			case podActive(p):
				p.Spec.NodeName, p.Status = "n", testPod("").Status
			}
			return false
		})
	}
}

// trouble has a pod end or go by itself.
func (w *rolloutWorld) trouble() {
	for _, rs := range w.sets {
		for _, p := range w.pods[rs.UID] {
			if podActive(p) && rapid.IntRange(0, 3).Draw(w.t, "trouble") == 0 {
				rapid.SampledFrom([]func(*corev1.Pod){unready, leaving, inPhase(corev1.PodFailed)}).Draw(w.t, "what")(p)
			}
		}
	}
}

// settle lets everybody work until nothing is left to do, nor to tell.
func (w *rolloutWorld) settle() {
	const endless = 1_000_000
	told := func() string {
		text := fmt.Sprint(w.d.Status)
		for _, rs := range w.sets {
			text += fmt.Sprint(rs.Status.Replicas, rs.Status.AvailableReplicas)
		}
		return text
	}
	for range 200 {
		before := told()
		idle := w.deploymentStep(endless).String() == "nothing"
		for _, rs := range w.sets {
			idle = w.setStep(rs, endless).String() == "create 0" && idle
		}
		w.agents(true)
		for _, rs := range w.sets {
			idle = w.setStep(rs, endless).String() == "create 0" && idle
		}
		w.d.Status.TerminatingReplicas = nil // a pointer, of which nobody speaks here
		if idle && told() == before {
			return
		}
	}
	w.t.Fatalf("it does not end: %+v", w.d.Status)
}

// TestRolloutsGetThere plays a Deployment with all that belongs to it: whatever there is at the start, in whatever order
// users, controllers and pods act, and wherever a controller is cut off, what is promised holds, and it ends as asked for.
func TestRolloutsGetThere(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := newRolloutWorld(t)
		for range rapid.IntRange(0, 60).Draw(t, "steps") {
			switch rapid.IntRange(0, 9).Draw(t, "who") {
			case 0:
				w.user()
			case 1:
				w.trouble()
			case 2, 3, 4:
				w.deploymentStep(rapid.IntRange(0, 5).Draw(t, "writes"))
			case 5, 6, 7:
				if len(w.sets) > 0 {
					w.setStep(w.sets[rapid.IntRange(0, len(w.sets)-1).Draw(t, "set")], rapid.IntRange(0, 9).Draw(t, "writes"))
				}
			default:
				w.agents(false)
			}
		}
		w.d.Spec.Paused = false
		w.settle()
		for _, rs := range w.sets {
			active, ready := activeAndReady(w.pods[rs.UID])
			if is := int(wanted(w.d)); sameTemplate(&rs.Spec.Template, &w.d.Spec.Template) && (active != is || ready != is) ||
				!sameTemplate(&rs.Spec.Template, &w.d.Spec.Template) && active > 0 {
				t.Fatalf("%s of %d has %d pods, %d of them ready, the Deployment wants %d", rs.Name, size(rs), active, ready, is)
			}
		}
		if s := w.d.Status; !complete(w.d, &s) || s.UnavailableReplicas != 0 {
			t.Fatalf("done, and told: %+v", s)
		}
	})
}

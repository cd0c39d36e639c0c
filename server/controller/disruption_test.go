package controller

import (
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	policyv1 "k8s.io/api/policy/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/intstr"
	"k8s.io/utils/ptr"
)

func controlledBy(uid string) func(*corev1.Pod) {
	return func(p *corev1.Pod) {
		p.OwnerReferences = []metav1.OwnerReference{{Kind: "ReplicaSet", Name: uid, UID: types.UID(uid), Controller: ptr.To(true)}}
	}
}

func TestPlanBudget(t *testing.T) {
	// Two ReplicaSets are one Deployment's, which wants four pods; "alone" wants one.
	scale := func(ref *metav1.OwnerReference) (types.UID, int32, bool) {
		switch ref.UID {
		case "old", "new":
			return "web", 4, true
		case "alone":
			return "alone", 1, true
		}
		return "", 0, false
	}
	four := []*corev1.Pod{
		testPod("a", controlledBy("old")), testPod("b", controlledBy("old")), testPod("c", controlledBy("new")), testPod("d", controlledBy("new"), unready),
	}
	for _, test := range []struct {
		name        string
		min, max    string
		pods        []*corev1.Pod
		evicted     map[string]metav1.Time
		allowed     int32
		healthy     int32
		desired     int32
		conditioned string
	}{
		{"a number must be there", "2", "", four, nil, 1, 3, 2, policyv1.SufficientPodsReason},
		{"more than there are", "5", "", four, nil, 0, 3, 5, policyv1.InsufficientPodsReason},
		{"a share must be there", "50%", "", four, nil, 1, 3, 2, policyv1.SufficientPodsReason},
		{"some may be missing", "", "2", four, nil, 1, 3, 2, policyv1.SufficientPodsReason},
		{"a share may be missing", "", "25%", four, nil, 0, 3, 3, policyv1.InsufficientPodsReason},
		{"evicted already", "2", "", four, map[string]metav1.Time{"a": ago(time.Second)}, 0, 2, 2, policyv1.InsufficientPodsReason},
		{"evicted long ago", "2", "", four, map[string]metav1.Time{"a": ago(time.Hour)}, 1, 3, 2, policyv1.SufficientPodsReason},
		{"none", "1", "", nil, nil, 0, 0, 1, policyv1.InsufficientPodsReason},
		{"another's scale", "", "1", append(four, testPod("e", controlledBy("alone"))), nil, 0, 4, 4, policyv1.InsufficientPodsReason},
		{"unknown controller", "", "1", []*corev1.Pod{testPod("a", controlledBy("x"))}, nil, 0, 0, 0, policyv1.SyncFailedReason},
	} {
		t.Run(test.name, func(t *testing.T) {
			b := &policyv1.PodDisruptionBudget{ObjectMeta: metav1.ObjectMeta{Generation: 3}}
			if test.min != "" {
				b.Spec.MinAvailable = ptr.To(intstr.Parse(test.min))
			} else {
				b.Spec.MaxUnavailable = ptr.To(intstr.Parse(test.max))
			}
			b.Status.DisruptedPods = test.evicted
			plan := planBudget(b, test.pods, scale, testNow)
			s := plan.status
			if s.DisruptionsAllowed != test.allowed || s.CurrentHealthy != test.healthy || s.DesiredHealthy != test.desired || s.Conditions[0].Reason != test.conditioned {
				t.Errorf("got %+v", s)
			}
			b.Status = s
			if again := planBudget(b, test.pods, scale, testNow).status; again.DisruptionsAllowed != s.DisruptionsAllowed || len(again.Conditions) != 1 {
				t.Errorf("then %+v", again)
			}
		})
	}
}

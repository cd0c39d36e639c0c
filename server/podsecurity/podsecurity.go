// Package podsecurity holds pods against the pod security standards: privileged, baseline and restricted, in the
// version and for the purpose that the labels of their namespace name.
//
//	p, errs := podsecurity.PolicyOf(namespace.Labels)
//	err := p.Enforce(&pod.ObjectMeta, &pod.Spec)
package podsecurity

import (
	"fmt"
	"sync"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/validation/field"
	"k8s.io/pod-security-admission/api"
	"k8s.io/pod-security-admission/policy"
)

// Policy is what a namespace asks of its pods.
type Policy struct{ api.Policy }

// PolicyOf reads a namespace's labels. Where they are wrong, the policy is as strict as can be.
func PolicyOf(labels map[string]string) (Policy, field.ErrorList) {
	open := api.LevelVersion{Level: api.LevelPrivileged, Version: api.LatestVersion()}
	p, errs := api.PolicyToEvaluate(labels, api.Policy{Enforce: open, Audit: open, Warn: open})
	return Policy{p}, errs
}

// Enforce says why a pod may not run.
func (p Policy) Enforce(meta *metav1.ObjectMeta, spec *corev1.PodSpec) error {
	if r := check(p.Policy.Enforce, meta, spec); !r.Allowed {
		return fmt.Errorf("violates PodSecurity %q: %s", p.Policy.Enforce.String(), r.ForbiddenDetail())
	}
	return nil
}

// Keys of annotations in the audit log.
const (
	EnforcedPolicy = api.AuditAnnotationPrefix + api.EnforcedPolicyAnnotationKey
	Violations     = api.AuditAnnotationPrefix + api.AuditViolationsAnnotationKey
)

// Audit is what the audit log says about a pod, or about what makes pods; empty when all is well.
func (p Policy) Audit(meta *metav1.ObjectMeta, spec *corev1.PodSpec) string {
	if r := check(p.Policy.Audit, meta, spec); !r.Allowed {
		return fmt.Sprintf("would violate PodSecurity %q: %s", p.Policy.Audit.String(), r.ForbiddenDetail())
	}
	return ""
}

// Warn is what a client should hear about a pod, or about what makes pods; empty when all is well.
func (p Policy) Warn(meta *metav1.ObjectMeta, spec *corev1.PodSpec) string {
	if r := check(p.Policy.Warn, meta, spec); !r.Allowed {
		return fmt.Sprintf("would violate PodSecurity %q: %s", p.Policy.Warn.String(), r.ForbiddenDetail())
	}
	return ""
}

// Stricter tells whether pods that one policy let in may be refused by another.
func (p Policy) Stricter(than Policy) bool {
	now, before := p.Policy.Enforce, than.Policy.Enforce
	if now == before || now.Level == api.LevelPrivileged {
		return false
	}
	return now.Version != before.Version || api.CompareLevels(now.Level, before.Level) > 0
}

// checks are those of all levels and versions. They are set up when the first pod meets a level.
var checks = sync.OnceValues(func() (policy.Evaluator, error) {
	return policy.NewEvaluator(policy.DefaultChecks(), nil)
})

func check(level api.LevelVersion, meta *metav1.ObjectMeta, spec *corev1.PodSpec) policy.AggregateCheckResult {
	if level.Level == api.LevelPrivileged {
		return policy.AggregateCheckResult{Allowed: true}
	}
	evaluator, err := checks()
	if err != nil {
		panic(fmt.Sprintf("the pod security checks contradict each other: %v", err))
	}
	return policy.AggregateCheckResults(evaluator.EvaluatePod(level, meta, spec))
}

package pod

import (
	"slices"

	corev1 "k8s.io/api/core/v1"
)

// isSidecar says whether an init container runs on beside the pod's containers.
func isSidecar(c *corev1.Container) bool {
	return c.RestartPolicy != nil && *c.RestartPolicy == corev1.ContainerRestartPolicyAlways
}

// restarts says whether a container that ended is to run again: by its own rules, its own policy, then the pod's.
func restarts(pod *corev1.Pod, c *corev1.Container, init bool, exitCode int) bool {
	if ruleFor(c, exitCode) != nil {
		return true // alone, or with all others
	}
	policy := pod.Spec.RestartPolicy
	if c.RestartPolicy != nil {
		policy = corev1.RestartPolicy(*c.RestartPolicy)
	} else if init && policy == corev1.RestartPolicyAlways {
		policy = corev1.RestartPolicyOnFailure
	}
	switch policy {
	case corev1.RestartPolicyNever:
		return false
	case corev1.RestartPolicyOnFailure:
		return exitCode != 0
	}
	return true
}

// ruleFor is the first of a container's rules that an end meets; nil when none does.
func ruleFor(c *corev1.Container, exitCode int) *corev1.ContainerRestartRule {
	for i := range c.RestartPolicyRules {
		if matches(c.RestartPolicyRules[i].ExitCodes, int32(exitCode)) {
			return &c.RestartPolicyRules[i]
		}
	}
	return nil
}

func matches(codes *corev1.ContainerRestartRuleOnExitCodes, exitCode int32) bool {
	if codes == nil {
		return false
	}
	in := slices.Contains(codes.Values, exitCode)
	return in == (codes.Operator == corev1.ContainerRestartRuleOnExitCodesOpIn)
}

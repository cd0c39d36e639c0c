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
	for _, rule := range c.RestartPolicyRules {
		if matches(rule.ExitCodes, int32(exitCode)) {
			return rule.Action == corev1.ContainerRestartRuleActionRestart
		}
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

func matches(codes *corev1.ContainerRestartRuleOnExitCodes, exitCode int32) bool {
	if codes == nil {
		return false
	}
	in := slices.Contains(codes.Values, exitCode)
	return in == (codes.Operator == corev1.ContainerRestartRuleOnExitCodesOpIn)
}

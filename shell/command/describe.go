package command

import (
	"context"
	"fmt"
	"strings"

	"github.com/spf13/cobra"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/kubectl/pkg/cmd/describe"
)

// newDescribe is kubectl's describe. For a named pod in trouble it adds a line that says what to look at next.
func newDescribe(e Env) *cobra.Command {
	c := describe.NewCmdDescribe(program, e.Factory, e.Streams)
	run := c.Run
	c.Run = func(c *cobra.Command, args []string) {
		run(c, args)
		for _, name := range podNames(args) {
			if advice := advise(c.Context(), e, name); advice != "" {
				fmt.Fprintf(e.Streams.Out, "\nNext:  %s\n", advice)
			}
		}
	}
	return c
}

// podNames returns the pods that the arguments name in full: `pod web-1 web-2` or `pod/web-1`.
func podNames(args []string) []string {
	isPod := func(kind string) bool { return kind == "pod" || kind == "pods" || kind == "po" }
	if len(args) > 1 && isPod(args[0]) {
		return args[1:]
	}
	var names []string
	for _, a := range args {
		if kind, name, ok := strings.Cut(a, "/"); ok && isPod(kind) {
			names = append(names, name)
		}
	}
	return names
}

// advise looks at one pod; what cannot be read gives no advice, as describe itself has said so.
func advise(ctx context.Context, e Env, name string) string {
	client, err := e.Factory.KubernetesClientSet()
	if err != nil {
		return ""
	}
	namespace, _, err := e.Factory.ToRawKubeConfigLoader().Namespace()
	if err != nil {
		return ""
	}
	pod, err := client.CoreV1().Pods(namespace).Get(ctx, name, metav1.GetOptions{})
	if err != nil {
		return ""
	}
	return podAdvice(pod)
}

// unscheduledAdvice is about a pod that no scheduler has looked at: there may be none by the name that it asks for.
func unscheduledAdvice(pod *corev1.Pod) string {
	name := pod.Spec.SchedulerName
	if pod.Spec.NodeName != "" || name == "" || name == corev1.DefaultSchedulerName || len(pod.Status.Conditions) > 0 {
		return ""
	}
	return fmt.Sprintf("it waits for the scheduler %s; is there one? `%s scheduler explain %s -n %s`", name, program, pod.Name, pod.Namespace)
}

// podAdvice says what helps with a pod in trouble, or nothing.
func podAdvice(pod *corev1.Pod) string {
	for _, c := range pod.Status.Conditions {
		if c.Type == corev1.PodScheduled && c.Status == corev1.ConditionFalse {
			return fmt.Sprintf("no node fits this pod; what each of them says: `%s scheduler explain %s -n %s`", program, pod.Name, pod.Namespace)
		}
	}
	if advice := unscheduledAdvice(pod); advice != "" {
		return advice
	}
	for _, c := range append(pod.Status.InitContainerStatuses, pod.Status.ContainerStatuses...) {
		if c.State.Waiting == nil {
			continue
		}
		if strings.HasPrefix(c.State.Waiting.Message, "pulling image ") {
			return fmt.Sprintf("%s starts once its image is here: %s", c.Name, c.State.Waiting.Message)
		}
		switch c.State.Waiting.Reason {
		case "CrashLoopBackOff":
			return fmt.Sprintf("%s ends again and again; its last words: `%s logs %s -c %s --previous -n %s`",
				c.Name, program, pod.Name, c.Name, pod.Namespace)
		case "ErrImagePull", "ImagePullBackOff", "InvalidImageName", "RegistryUnavailable", "ErrImageNeverPull":
			return fmt.Sprintf("the image %s cannot be had; what the cluster's registry holds: `%s image ls`", c.Image, program)
		}
	}
	return ""
}

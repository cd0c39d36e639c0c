package kind

import (
	"fmt"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

var now = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)

func ago(d time.Duration) metav1.Time { return metav1.NewTime(now.Add(-d)) }

// printed is a row as it is served at now.
func printed(cells []any) []string {
	texts := make([]string, len(cells))
	for i, cell := range cells {
		if timed, ok := cell.(Timed); ok {
			cell = timed.At(now)
		}
		texts[i] = fmt.Sprint(cell)
	}
	return texts
}

// state makes a container's status.
type state func(*corev1.ContainerStatus)

func running(c *corev1.ContainerStatus) {
	c.Ready, c.State.Running = true, &corev1.ContainerStateRunning{}
}

func waiting(reason string) state {
	return func(c *corev1.ContainerStatus) { c.State.Waiting = &corev1.ContainerStateWaiting{Reason: reason} }
}

func exited(code, signal int32, reason string) state {
	return func(c *corev1.ContainerStatus) {
		c.State.Terminated = &corev1.ContainerStateTerminated{ExitCode: code, Signal: signal, Reason: reason}
	}
}

func restarted(times int32, last time.Duration, next state) state {
	return func(c *corev1.ContainerStatus) {
		next(c)
		c.RestartCount = times
		c.LastTerminationState.Terminated = &corev1.ContainerStateTerminated{FinishedAt: ago(last)}
	}
}

// podWith makes a pod of containers in the given states.
func podWith(phase corev1.PodPhase, inits, containers []state) *corev1.Pod {
	p := &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Name: "web", CreationTimestamp: ago(10 * time.Minute)}}
	p.Status.Phase = phase
	for i, s := range inits {
		c := corev1.ContainerStatus{Name: fmt.Sprint("init", i)}
		s(&c)
		p.Spec.InitContainers = append(p.Spec.InitContainers, corev1.Container{Name: c.Name})
		p.Status.InitContainerStatuses = append(p.Status.InitContainerStatuses, c)
	}
	for i, s := range containers {
		c := corev1.ContainerStatus{Name: fmt.Sprint("c", i)}
		s(&c)
		p.Spec.Containers = append(p.Spec.Containers, corev1.Container{Name: c.Name})
		p.Status.ContainerStatuses = append(p.Status.ContainerStatuses, c)
	}
	return p
}

func TestPodRow(t *testing.T) {
	deleted := func(p *corev1.Pod) *corev1.Pod {
		at := ago(time.Second)
		p.DeletionTimestamp = &at
		return p
	}
	sidecar := func(p *corev1.Pod) *corev1.Pod {
		p.Spec.InitContainers[0].RestartPolicy = pointsTo(corev1.ContainerRestartPolicyAlways)
		p.Status.InitContainerStatuses[0].Started = pointsTo(true)
		return p
	}
	ready := func(p *corev1.Pod) *corev1.Pod {
		p.Status.Conditions = []corev1.PodCondition{{Type: corev1.PodReady, Status: corev1.ConditionTrue}}
		return p
	}
	one := func(s state) []state { return []state{s} }
	tests := []struct {
		name                    string
		pod                     *corev1.Pod
		ready, status, restarts string
	}{
		{"running", podWith("Running", nil, []state{running, running}), "2/2", "Running", "0"},
		{"pending", podWith("Pending", nil, one(waiting("ContainerCreating"))), "0/1", "ContainerCreating", "0"},
		{"crashing", podWith("Running", nil, one(restarted(3, 5*time.Minute, waiting("CrashLoopBackOff")))), "0/1", "CrashLoopBackOff", "3 (5m ago)"},
		{"completed", podWith("Succeeded", nil, one(exited(0, 0, "Completed"))), "0/1", "Completed", "0"},
		{"error", podWith("Failed", nil, one(exited(1, 0, "Error"))), "0/1", "Error", "0"},
		{"exit code", podWith("Failed", nil, one(exited(3, 0, ""))), "0/1", "ExitCode:3", "0"},
		{"signal", podWith("Failed", nil, one(exited(137, 9, ""))), "0/1", "Signal:9", "0"},
		{"the first container tells", podWith("Pending", nil, []state{waiting("ErrImagePull"), waiting("ImagePullBackOff")}), "0/2", "ErrImagePull", "0"},
		{"one done, one ready", ready(podWith("Running", nil, []state{exited(0, 0, "Completed"), running})), "1/2", "Running", "0"},
		{"one done, not ready", podWith("Running", nil, []state{exited(0, 0, "Completed"), running}), "1/2", "NotReady", "0"},
		{"init running", podWith("Pending", []state{exited(0, 0, "Completed"), waiting("PodInitializing")}, one(waiting("PodInitializing"))), "0/1", "Init:1/2", "0"},
		{"init fails", podWith("Pending", []state{restarted(2, time.Hour, exited(1, 0, "Error"))}, one(waiting("PodInitializing"))), "0/1", "Init:Error", "2 (60m ago)"},
		{"init exit code", podWith("Pending", []state{exited(2, 0, "")}, one(waiting("PodInitializing"))), "0/1", "Init:ExitCode:2", "0"},
		{"init crashing", podWith("Pending", []state{waiting("CrashLoopBackOff")}, one(waiting("PodInitializing"))), "0/1", "Init:CrashLoopBackOff", "0"},
		{"init restarts are past", podWith("Running", []state{restarted(2, time.Hour, exited(0, 0, "Completed"))}, one(running)), "1/1", "Running", "0"},
		{"sidecar", sidecar(podWith("Running", []state{restarted(1, time.Hour, running)}, one(running))), "2/2", "Running", "1 (60m ago)"},
		{"terminating", deleted(podWith("Running", nil, one(running))), "1/1", "Terminating", "0"},
		{"deleted when done", deleted(podWith("Succeeded", nil, one(exited(0, 0, "Completed")))), "0/1", "Completed", "0"},
		{"no status yet", &corev1.Pod{Spec: corev1.PodSpec{Containers: make([]corev1.Container, 2)}, Status: corev1.PodStatus{Phase: "Pending"}}, "0/2", "Pending", "0"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got := printed(Pod.Row(tt.pod))
			if got[1] != tt.ready || got[2] != tt.status || got[3] != tt.restarts {
				t.Errorf("READY %s STATUS %s RESTARTS %s, want %s %s %s", got[1], got[2], got[3], tt.ready, tt.status, tt.restarts)
			}
		})
	}
}

func TestPodRowSaysWhy(t *testing.T) {
	gated := podWith("Pending", nil, nil)
	gated.Status.Conditions = []corev1.PodCondition{{Type: corev1.PodScheduled, Reason: corev1.PodReasonSchedulingGated}}
	evicted := podWith("Failed", nil, nil)
	evicted.Status.Reason = "Evicted"
	lost := podWith("Running", nil, []state{running})
	lost.Status.Reason, lost.DeletionTimestamp = "NodeLost", &metav1.Time{Time: now}
	for want, p := range map[string]*corev1.Pod{"SchedulingGated": gated, "Evicted": evicted, "Unknown": lost} {
		if got := printed(Pod.Row(p))[2]; got != want {
			t.Errorf("STATUS %s, want %s", got, want)
		}
	}
}

func TestPodRowWide(t *testing.T) {
	p := podWith("Running", nil, []state{running})
	p.Spec.NodeName = "node1"
	p.Status.PodIPs = []corev1.PodIP{{IP: "10.42.0.2"}}
	p.Spec.ReadinessGates = []corev1.PodReadinessGate{{ConditionType: "a/b"}, {ConditionType: "c/d"}}
	p.Status.Conditions = []corev1.PodCondition{{Type: "a/b", Status: corev1.ConditionTrue}}
	want := []string{"web", "1/1", "Running", "0", "10m", "10.42.0.2", "node1", "<none>", "1/2"}
	if got := printed(Pod.Row(p)); fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

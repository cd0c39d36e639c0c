// Package docker runs pods' containers on a Docker Engine: it is the agent's pod.Runtime.
//
// A pod is a sandbox container, which owns the network and IPC namespaces and the pod's address, and application
// containers that join it. The engine is the only memory: every container carries labels that say whose it is, and an
// agent that comes back finds all of them again through Containers.
//
// Each concern is one file: sandbox.go and container.go say what is asked of the engine, security.go and resources.go
// translate a pod's wishes, lifecycle.go starts and stops, list.go and events.go observe, exec.go, attach.go and
// firstwords.go open sessions, logs.go reads logs, image.go images, stats.go consumption.
//
//	runtime, err := docker.New(docker.Config{Node: "node-1", Network: podNetwork})
//	sandbox, err := runtime.RunSandbox(ctx, pod.Sandbox{Pod: p, Hostname: p.Name})
package docker

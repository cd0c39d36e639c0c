// Package nodeapi is the API that a node serves to the cluster's servers, as the kubelet has it on port 10250: logs,
// exec, attach, port-forward, consumption and health. The server passes what its clients ask for through to it.
//
// Everything but /healthz needs a client certificate of the cluster's CA, for the server itself or an administrator.
//
// Sessions speak what Kubernetes' clients and servers do. The servers here pass upgrades through untouched, so this
// end serves both what kubelets do (SPDY, and WebSockets up to v4.channel.k8s.io) and what kube-apiserver translates
// for its kubelets (v5.channel.k8s.io, and SPDY tunnelled through a WebSocket for port-forward).
//
//	api, err := nodeapi.New(nodeapi.Config{Certificate: own, ClientCA: ca, Pods: pods, Runtime: runtime})
//	err = api.Run(ctx)
package nodeapi

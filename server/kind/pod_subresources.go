package kind

import (
	corev1 "k8s.io/api/core/v1"
	policyv1 "k8s.io/api/policy/v1"
)

var podSubresources = []Subresource{
	connection[corev1.PodAttachOptions]("attach", connectVerbs, core("PodAttachOptions")),
	request[corev1.Binding]("binding", core("Binding")),
	request[policyv1.Eviction]("eviction", policyv1.SchemeGroupVersion.WithKind("Eviction")),
	podEphemeralContainers,
	connection[corev1.PodExecOptions]("exec", connectVerbs, core("PodExecOptions")),
	connection[corev1.PodLogOptions]("log", []string{"get"}, core("Pod")),
	connection[corev1.PodPortForwardOptions]("portforward", connectVerbs, core("PodPortForwardOptions")),
	proxied(connection[corev1.PodProxyOptions]("proxy", proxyVerbs, core("PodProxyOptions"))),
	podResize,
}

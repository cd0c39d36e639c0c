package kind

import corev1 "k8s.io/api/core/v1"

func defaultContainer(c *corev1.Container) {
	setDefaultText(&c.ImagePullPolicy, defaultPullPolicy(c.Image))
	setDefaultText(&c.TerminationMessagePath, corev1.TerminationMessagePathDefault)
	setDefaultText(&c.TerminationMessagePolicy, corev1.TerminationMessageReadFile)
	roundResources(c.Resources.Limits)
	roundResources(c.Resources.Requests)
	for i := range c.Ports {
		setDefaultText(&c.Ports[i].Protocol, corev1.ProtocolTCP)
	}
	for i := range c.Env {
		defaultEnv(c.Env[i].ValueFrom)
	}
	for _, probe := range []*corev1.Probe{c.LivenessProbe, c.ReadinessProbe, c.StartupProbe} {
		defaultProbe(probe)
	}
	if c.Lifecycle != nil {
		defaultHook(c.Lifecycle.PostStart)
		defaultHook(c.Lifecycle.PreStop)
	}
}

func defaultEnv(source *corev1.EnvVarSource) {
	if source == nil {
		return
	}
	defaultFieldRef(source.FieldRef)
	if source.FileKeyRef != nil {
		setDefault(&source.FileKeyRef.Optional, false)
	}
}

func defaultFieldRef(ref *corev1.ObjectFieldSelector) {
	if ref != nil {
		setDefaultText(&ref.APIVersion, "v1")
	}
}

func defaultProbe(p *corev1.Probe) {
	if p == nil {
		return
	}
	setDefaultText(&p.TimeoutSeconds, 1)
	setDefaultText(&p.PeriodSeconds, 10)
	setDefaultText(&p.SuccessThreshold, 1)
	setDefaultText(&p.FailureThreshold, 3)
	defaultHTTPGet(p.HTTPGet)
	if p.GRPC != nil {
		setDefault(&p.GRPC.Service, "")
	}
}

func defaultHook(h *corev1.LifecycleHandler) {
	if h != nil {
		defaultHTTPGet(h.HTTPGet)
	}
}

func defaultHTTPGet(get *corev1.HTTPGetAction) {
	if get != nil {
		setDefaultText(&get.Path, "/")
		setDefaultText(&get.Scheme, corev1.URISchemeHTTP)
	}
}

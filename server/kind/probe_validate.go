package kind

import (
	"fmt"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
	"k8s.io/apimachinery/pkg/util/validation"
	"k8s.io/apimachinery/pkg/util/validation/field"
	"k8s.io/utils/ptr"
)

// validateProbes checks the probes and hooks of a container that keeps running.
func validateProbes(c *corev1.Container, grace *int64, path *field.Path) field.ErrorList {
	seconds := ptr.Deref(grace, corev1.DefaultTerminationGracePeriodSeconds)
	var errs field.ErrorList
	if c.Lifecycle != nil {
		at := path.Child("lifecycle")
		if h := c.Lifecycle.PostStart; h != nil {
			errs = append(errs, validateHandler(handlerOf(h, seconds), at.Child("postStart"))...)
		}
		if h := c.Lifecycle.PreStop; h != nil {
			errs = append(errs, validateHandler(handlerOf(h, seconds), at.Child("preStop"))...)
		}
	}
	errs = append(errs, validateProbe(c.LivenessProbe, path.Child("livenessProbe"))...)
	errs = append(errs, succeedsAtOnce(c.LivenessProbe, path.Child("livenessProbe"))...)
	errs = append(errs, validateProbe(c.StartupProbe, path.Child("startupProbe"))...)
	errs = append(errs, succeedsAtOnce(c.StartupProbe, path.Child("startupProbe"))...)
	errs = append(errs, validateProbe(c.ReadinessProbe, path.Child("readinessProbe"))...)
	if p := c.ReadinessProbe; p != nil && p.TerminationGracePeriodSeconds != nil {
		at := path.Child("readinessProbe", "terminationGracePeriodSeconds")
		errs = append(errs, field.Invalid(at, *p.TerminationGracePeriodSeconds, "must not be set for readinessProbes"))
	}
	return errs
}

// succeedsAtOnce checks that a probe whose failure stops the container recovers with its first success.
func succeedsAtOnce(p *corev1.Probe, path *field.Path) field.ErrorList {
	if p == nil || p.SuccessThreshold == 1 {
		return nil
	}
	return field.ErrorList{field.Invalid(path.Child("successThreshold"), p.SuccessThreshold, "must be 1")}
}

func validateProbe(p *corev1.Probe, path *field.Path) field.ErrorList {
	if p == nil {
		return nil
	}
	errs := validateHandler(handler{exec: p.Exec, httpGet: p.HTTPGet, tcpSocket: p.TCPSocket, grpc: p.GRPC}, path)
	for _, number := range []struct {
		field string
		value int32
	}{
		{"initialDelaySeconds", p.InitialDelaySeconds},
		{"timeoutSeconds", p.TimeoutSeconds},
		{"periodSeconds", p.PeriodSeconds},
		{"successThreshold", p.SuccessThreshold},
		{"failureThreshold", p.FailureThreshold},
	} {
		errs = append(errs, nonNegative(path.Child(number.field), &number.value)...)
	}
	if grace := p.TerminationGracePeriodSeconds; grace != nil && *grace <= 0 {
		errs = append(errs, field.Invalid(path.Child("terminationGracePeriodSeconds"), *grace, "must be greater than 0"))
	}
	return errs
}

// handler is a probe's or a hook's way of acting.
type handler struct {
	exec      *corev1.ExecAction
	httpGet   *corev1.HTTPGetAction
	tcpSocket *corev1.TCPSocketAction
	grpc      *corev1.GRPCAction
	sleep     *corev1.SleepAction
	grace     int64 // seconds that a sleep may take
}

func handlerOf(h *corev1.LifecycleHandler, grace int64) handler {
	return handler{exec: h.Exec, httpGet: h.HTTPGet, tcpSocket: h.TCPSocket, sleep: h.Sleep, grace: grace}
}

func validateHandler(h handler, path *field.Path) field.ErrorList {
	var errs field.ErrorList
	var given []string
	if h.exec != nil {
		given = append(given, "exec")
		if len(h.exec.Command) == 0 {
			errs = append(errs, field.Required(path.Child("exec", "command"), ""))
		}
	}
	if h.httpGet != nil {
		given = append(given, "httpGet")
		errs = append(errs, validateHTTPGet(h.httpGet, path.Child("httpGet"))...)
	}
	if h.tcpSocket != nil {
		given = append(given, "tcpSocket")
		errs = append(errs, portOrName(h.tcpSocket.Port, path.Child("tcpSocket", "port"))...)
	}
	if h.grpc != nil {
		given = append(given, "grpc")
		errs = append(errs, portNumber(path.Child("grpc", "port"), h.grpc.Port)...)
		errs = append(errs, maybeOneOf(path.Child("grpc", "mode"), h.grpc.Mode, corev1.GRPCProbeModePlaintext, corev1.GRPCProbeModeTLS)...)
	}
	if h.sleep != nil {
		given = append(given, "sleep")
		if s := h.sleep.Seconds; s < 0 || s > h.grace {
			message := fmt.Sprintf("must be non-negative and less than terminationGracePeriodSeconds (%d)", h.grace)
			errs = append(errs, field.Invalid(path.Child("sleep"), s, message))
		}
	}
	return append(errs, exactlyOne(path, "handler type", given)...)
}

func validateHTTPGet(get *corev1.HTTPGetAction, path *field.Path) field.ErrorList {
	errs := required(path.Child("path"), get.Path)
	errs = append(errs, portOrName(get.Port, path.Child("port"))...)
	errs = append(errs, maybeOneOf(path.Child("scheme"), &get.Scheme, corev1.URISchemeHTTP, corev1.URISchemeHTTPS)...)
	for _, header := range get.HTTPHeaders {
		errs = append(errs, invalid(path.Child("httpHeaders"), header.Name, validation.IsHTTPHeaderName(header.Name))...)
	}
	errs = append(errs, maybeOneOf(path.Child("protocol"), get.Protocol, corev1.HTTPProtocolHTTP1, corev1.HTTPProtocolHTTP2)...)
	if ptr.Deref(get.Protocol, "") != corev1.HTTPProtocolHTTP2 {
		return errs
	}
	switch {
	case get.Scheme != corev1.URISchemeHTTP:
		errs = append(errs, field.Invalid(path.Child("protocol"), *get.Protocol, "is only supported with HTTP (H2C)"))
	case get.Host != "":
		errs = append(errs, field.Invalid(path.Child("host"), get.Host, "must be empty when `protocol` is \"HTTP2\""))
	}
	return errs
}

func portOrName(port intstr.IntOrString, path *field.Path) field.ErrorList {
	if port.Type == intstr.Int {
		return portNumber(path, port.IntVal)
	}
	return invalid(path, port.StrVal, validation.IsValidPortName(port.StrVal))
}

package pod

import (
	"fmt"
	"net"
	"strconv"
	"strings"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// apiService is the name, in the namespace "default", of the service that the API is.
const apiService = "kubernetes"

// ServiceOfAPI is the API as a service at an address ("192.0.2.1:6443") that pods reach it by; nil for no address.
func ServiceOfAPI(address string) *corev1.Service {
	host, text, err := net.SplitHostPort(address)
	port, errPort := strconv.ParseInt(text, 10, 32)
	if err != nil || errPort != nil || host == "" {
		return nil
	}
	return &corev1.Service{
		ObjectMeta: metav1.ObjectMeta{Namespace: metav1.NamespaceDefault, Name: apiService},
		Spec: corev1.ServiceSpec{ClusterIP: host, Ports: []corev1.ServicePort{
			{Name: "https", Port: int32(port), Protocol: corev1.ProtocolTCP},
		}},
	}
}

// reaches says whether a pod can reach a service at its address: the node's own loopback is not the pod's.
func reaches(pod *corev1.Pod, s *corev1.Service) bool {
	ip := net.ParseIP(s.Spec.ClusterIP)
	return pod.Spec.HostNetwork || ip == nil && s.Spec.ClusterIP != "localhost" || ip != nil && !ip.IsLoopback()
}

// addServices sets the variables by which containers find services, as Kubernetes and Docker's links name them.
func (e *environment) addServices(services []*corev1.Service) {
	for _, s := range services {
		ip := s.Spec.ClusterIP
		if ip == "" || ip == corev1.ClusterIPNone || len(s.Spec.Ports) == 0 {
			continue
		}
		name := variable(s.Name)
		e.set(name+"_SERVICE_HOST", ip)
		e.set(name+"_SERVICE_PORT", strconv.Itoa(int(s.Spec.Ports[0].Port)))
		for _, p := range s.Spec.Ports {
			if p.Name != "" {
				e.set(name+"_SERVICE_PORT_"+variable(p.Name), strconv.Itoa(int(p.Port)))
			}
		}
		e.addLinks(name, ip, s.Spec.Ports)
	}
}

func (e *environment) addLinks(name, ip string, ports []corev1.ServicePort) {
	for i, p := range ports {
		protocol, port := string(p.Protocol), strconv.Itoa(int(p.Port))
		if protocol == "" {
			protocol = string(corev1.ProtocolTCP)
		}
		url := fmt.Sprintf("%s://%s", strings.ToLower(protocol), net.JoinHostPort(ip, port))
		if i == 0 {
			e.set(name+"_PORT", url)
		}
		link := name + "_PORT_" + port + "_" + strings.ToUpper(protocol)
		e.set(link, url)
		e.set(link+"_PROTO", strings.ToLower(protocol))
		e.set(link+"_PORT", port)
		e.set(link+"_ADDR", ip)
	}
}

// variable is a name as names of variables are.
func variable(name string) string { return strings.ToUpper(strings.ReplaceAll(name, "-", "_")) }

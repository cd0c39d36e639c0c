package allocate

import (
	"fmt"
	"slices"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/validation/field"

	"leme/server/kind"
)

// PortPool is the node ports that services can have. What was given once is not free any more.
type PortPool interface {
	// Take checks that a port can be had.
	Take(port int32) error
	// Next is a free port, or ErrFull.
	Next() (int32, error)
}

// NodePorts gives a service the node ports that it lacks, and checks that it can have those that it asks for. old is
// nil for a new service. A *field.Error says what is wrong with the service.
func NodePorts(updated, old *corev1.Service, pool PortPool) error {
	switch {
	case !kind.UsesNodePorts(updated):
		return nil
	case old == nil:
		if err := firstNodePorts(updated, pool); err != nil {
			return err
		}
	default:
		if err := moreNodePorts(updated, old, pool); err != nil {
			return err
		}
	}
	if kind.NeedsHealthCheckPort(updated) && (old == nil || !kind.NeedsHealthCheckPort(old)) {
		return healthCheckPort(updated, pool)
	}
	return nil
}

// firstNodePorts gives a new service its ports. A port that is there for several protocols has one number on the nodes.
func firstNodePorts(s *corev1.Service, pool PortPool) error {
	given := map[int32]int32{}
	for i := range s.Spec.Ports {
		p := &s.Spec.Ports[i]
		if p.NodePort == 0 && !kind.NeedsNodePorts(s) {
			continue
		}
		switch shared, ok := given[p.Port]; {
		case !ok:
			port, err := takeOrNext(pool, i, requested(p.Port, s.Spec.Ports))
			if err != nil {
				return err
			}
			p.NodePort, given[p.Port] = port, port
		case p.NodePort == 0:
			p.NodePort = shared
		case p.NodePort != shared:
			if _, err := takeOrNext(pool, i, p.NodePort); err != nil {
				return err
			}
		}
	}
	return nil
}

// requested is the node port that is asked for a port in any protocol.
func requested(port int32, ports []corev1.ServicePort) int32 {
	for _, p := range ports {
		if p.Port == port && p.NodePort != 0 {
			return p.NodePort
		}
	}
	return 0
}

// moreNodePorts gives a service ports beside those that it had.
func moreNodePorts(updated, old *corev1.Service, pool PortPool) error {
	has := kind.NodePorts(old)
	for i := range updated.Spec.Ports {
		p := &updated.Spec.Ports[i]
		if p.NodePort == 0 && !kind.NeedsNodePorts(updated) || p.NodePort != 0 && slices.Contains(has, p.NodePort) {
			continue
		}
		port, err := takeOrNext(pool, i, p.NodePort)
		if err != nil {
			return err
		}
		p.NodePort = port
		has = append(has, port)
	}
	return nil
}

// takeOrNext is the node port that is asked for the port at an index, or any when none is.
func takeOrNext(pool PortPool, index int, port int32) (int32, error) {
	if port != 0 {
		if err := pool.Take(port); err != nil {
			return 0, field.Invalid(field.NewPath("spec", "ports").Index(index).Child("nodePort"), port, err.Error())
		}
		return port, nil
	}
	port, err := pool.Next()
	if err != nil {
		return 0, fmt.Errorf("failed to allocate a nodePort: %w", err)
	}
	return port, nil
}

func healthCheckPort(s *corev1.Service, pool PortPool) error {
	if port := s.Spec.HealthCheckNodePort; port != 0 {
		if err := pool.Take(port); err != nil {
			return fmt.Errorf("failed to allocate requested HealthCheck NodePort %v: %w", port, err)
		}
		return nil
	}
	port, err := pool.Next()
	if err != nil {
		return fmt.Errorf("failed to allocate a HealthCheck NodePort: %w", err)
	}
	s.Spec.HealthCheckNodePort = port
	return nil
}

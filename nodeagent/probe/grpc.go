package probe

import (
	"context"
	"crypto/tls"
	"fmt"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/credentials/insecure"
	health "google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/status"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
)

// transport takes any certificate where TLS is asked for.
func transport(a *corev1.GRPCAction) credentials.TransportCredentials {
	if a.Mode != nil && *a.Mode == corev1.GRPCProbeModeTLS {
		return credentials.NewTLS(&tls.Config{InsecureSkipVerify: true}) // a probe asks whether it answers, not who it is
	}
	return insecure.NewCredentials()
}

// checkGRPC asks the gRPC health checking protocol (grpc.health.v1.Health/Check).
func checkGRPC(ctx context.Context, a *corev1.GRPCAction, t Target) (bool, string, error) {
	address, err := address("", intstr.FromInt32(a.Port), t)
	if err != nil {
		return false, "", err
	}
	conn, err := grpc.NewClient("passthrough:///"+address, grpc.WithTransportCredentials(transport(a)),
		grpc.WithUserAgent("kube-probe/1.37"), grpc.WithNoProxy())
	if err != nil {
		return false, "", err
	}
	defer conn.Close()
	service := ""
	if a.Service != nil {
		service = *a.Service
	}
	answer, err := health.NewHealthClient(conn).Check(ctx, &health.HealthCheckRequest{Service: service})
	if status.Code(err) == codes.Unimplemented {
		return false, "error: this server does not implement the grpc health protocol (grpc.health.v1.Health)", nil
	} else if err != nil {
		return false, fmt.Sprintf("error: health rpc probe failed: %v", err), nil
	}
	if answer.Status != health.HealthCheckResponse_SERVING {
		return false, fmt.Sprintf("service unhealthy (responded with %q)", answer.Status), nil
	}
	return true, "service healthy", nil
}

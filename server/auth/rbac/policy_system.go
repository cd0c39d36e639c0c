package rbac

import (
	"strings"

	rbacv1 "k8s.io/api/rbac/v1"
)

// systemRoles are the roles of the cluster's parts, and of everybody who is known.
func systemRoles() []*rbacv1.ClusterRole {
	return []*rbacv1.ClusterRole{
		role("system:discovery", onPaths(get, "/livez /readyz /healthz /version /version/ /openapi /openapi/* /api /api/* /apis /apis/*")),
		role("system:public-info-viewer", onPaths(get, "/livez /readyz /healthz /version /version/")),
		role("system:dashboard", onPaths("get head", "/ /ui /ui/*")),
		role("system:registry-login", onPaths("get head", "/v2 /v2/")),
		role("system:basic-user",
			on("authorization.k8s.io", "create", "selfsubjectaccessreviews selfsubjectrulesreviews"),
			on("authentication.k8s.io", "create", "selfsubjectreviews"),
		),
		role("system:monitoring", onPaths(get, "/metrics /metrics/slis /livez /readyz /healthz /livez/* /readyz/* /healthz/*")),
		role("system:service-account-issuer-discovery", onPaths(get, "/.well-known/openid-configuration /openid/v1/jwks")),
		role("system:cluster-trust-bundle-discovery", on("certificates.k8s.io", read, "clustertrustbundles")),
		role("system:auth-delegator",
			on("authentication.k8s.io", "create", "tokenreviews"),
			on("authorization.k8s.io", "create", "subjectaccessreviews"),
		),
		role("system:node", NodeRules()...),
		role("system:node-bootstrapper", on("certificates.k8s.io", "create get list watch", "certificatesigningrequests")),
		role("system:node-problem-detector", on("", get, "nodes"), on("", "patch", "nodes/status"), eventRule()),
		role("system:kubelet-api-admin", on("", "get list watch proxy", "nodes"),
			on("", "*", "nodes/configz nodes/healthz nodes/log nodes/metrics nodes/pods nodes/proxy nodes/spec nodes/stats")),
		role("system:node-proxier", on("", "list watch", "services"), on("", "get list watch", "nodes"), eventRule(),
			on("discovery.k8s.io", "list watch", "endpointslices"), on("networking.k8s.io", "list watch", "servicecidrs")),
		role("system:kube-dns", on("", "list watch", "endpoints services")),
		role("system:persistent-volume-provisioner",
			on("", "get list watch create delete", "persistentvolumes"),
			on("", "get list watch update", "persistentvolumeclaims"),
			on("storage.k8s.io", read, "storageclasses"),
			on("", "watch", "events"), eventRule()),
		signing("system:certificates.k8s.io:legacy-unknown-approver", "approve", "kubernetes.io/legacy-unknown"),
		signing("system:certificates.k8s.io:kubelet-serving-approver", "approve", "kubernetes.io/kubelet-serving"),
		signing("system:certificates.k8s.io:kube-apiserver-client-approver", "approve", "kubernetes.io/kube-apiserver-client"),
		signing("system:certificates.k8s.io:kube-apiserver-client-kubelet-approver", "approve", "kubernetes.io/kube-apiserver-client-kubelet"),
		role("system:certificates.k8s.io:certificatesigningrequests:nodeclient",
			on("certificates.k8s.io", "create", "certificatesigningrequests/nodeclient")),
		role("system:certificates.k8s.io:certificatesigningrequests:selfnodeclient",
			on("certificates.k8s.io", "create", "certificatesigningrequests/selfnodeclient")),
	}
}

// NodeRules is what a node's agent may ask for; which objects of these it gets is the node authorizer's to say.
func NodeRules() []rbacv1.PolicyRule {
	return []rbacv1.PolicyRule{
		on("authentication.k8s.io", "create", "tokenreviews"),
		on("authorization.k8s.io", "create", "subjectaccessreviews localsubjectaccessreviews"),
		on("", read, "services"),
		on("", "create get list watch", "nodes"),
		on("", "update patch", "nodes/status"),
		on("", "update patch", "nodes"),
		eventRule(),
		on("", read, "pods"),
		on("", "create delete", "pods"),
		on("", "update patch", "pods/status"),
		on("", "create", "pods/eviction"),
		on("", read, "secrets configmaps"),
		on("", get, "persistentvolumeclaims persistentvolumes"),
		on("", "create", "serviceaccounts/token"),
		on("", get, "serviceaccounts"),
		on("certificates.k8s.io", "create get list watch", "certificatesigningrequests"),
		on("certificates.k8s.io", read, "clustertrustbundles"),
		on("coordination.k8s.io", "create delete get patch update", "leases"),
		on("storage.k8s.io", get, "volumeattachments"),
		on("storage.k8s.io", "create delete get patch update", "csinodes"),
		on("node.k8s.io", read, "runtimeclasses"),
	}
}

func eventRule() rbacv1.PolicyRule {
	return rbacv1.PolicyRule{
		Verbs: strings.Fields("create patch update"), APIGroups: []string{"", "events.k8s.io"}, Resources: []string{"events"},
	}
}

// signing lets somebody decide on the requests to one signer.
func signing(name, verb, signer string) *rbacv1.ClusterRole {
	rule := on("certificates.k8s.io", verb, "signers")
	rule.ResourceNames = []string{signer}
	return role(name, rule)
}

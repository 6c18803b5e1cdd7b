/** Requests to a proxy that only reads, and what becomes of each: a table for the judge and for the real API server. */

/** A request, as it goes over the wire. */
export interface Asked {
  /** What it is answered with by the proxy itself; undefined where it goes on. */
  readonly refused: number | undefined;
  readonly method: string;
  readonly target: string;
  /** Undefined where only the target counts. */
  readonly verb: string | undefined;
}

// The status, the method, the target, the verb. In the live server's tests `default` holds a Secret.
const TABLE = String.raw`
ok GET /api get
ok GET /api/v1 get
ok GET /apis get
ok HEAD /apis head
ok GET /apis/apps get
ok GET /apis/apps/v1 get
ok GET /openapi/v2 get
ok GET /openapi/v3 get
ok GET /openapi/v3/api/v1 get
ok GET /openapi/v3/apis/apps/v1?hash=ABC%3D get
ok GET /version get
ok GET /version?timeout=32s get
ok GET /healthz get
ok GET /livez/ping get
ok GET /readyz?verbose get
ok GET /readyz/poststarthook/start-apiextensions-controllers get
ok GET /api/v1/namespaces list
ok GET /api/v1/namespaces/default get
ok GET /api/v1/namespaces/default/status get
ok GET /api/v1/configmaps list
ok GET /api/v1/configmaps?limit=500&continue=abc%3D%3D list
ok GET /api/v1/configmaps?watch=1&resourceVersion=0&timeoutSeconds=1 watch
ok GET /api/v1/configmaps?watch=true&timeoutSeconds=1 watch
ok GET /api/v1/configmaps?watch=false list
ok GET /api/v1/configmaps?labelSelector=app%20in%20(a,b) list
ok GET /api/v1/namespaces/default/configmaps list
ok HEAD /api/v1/namespaces/default/configmaps list
ok GET /api/v1/namespaces/default/configmaps/plain get
ok GET /api/v1/namespaces/default/pods/p/log?tailLines=1 get
ok GET /api/v1/namespaces/default/pods/p/status get
ok GET /api/v1/namespaces/default/pods/p/ephemeralcontainers get
ok GET /api/v1/namespaces/default/events?fieldSelector=involvedObject.kind%3DSecret list
ok GET /api/v1/namespaces/default/configmaps?labelSelector=a%00b%0d%0a&limit=1 list
ok GET /api/v1/namespaces/default/configmaps?pretty=true&timeout=1s list
ok GET /api/v1/watch/configmaps?timeoutSeconds=1 watch
ok GET /api/v1/watch/namespaces?timeoutSeconds=1 watch
ok GET /api/v1/watch/namespaces/default?timeoutSeconds=1 watch
ok GET /api/v1/watch/namespaces/default/configmaps/plain?timeoutSeconds=1 watch
ok GET /apis/apps/v1/deployments list
ok GET /apis/apps/v1/namespaces/default/deployments/d/scale get
ok GET /apis/rbac.authorization.k8s.io/v1/clusterroles/system:node get
ok GET /apis/dns.networking.miloapis.com/v1alpha1/namespaces/default/dnszones list
ok GET /apis/resourcemanager.miloapis.com/v1alpha1/projects/web get
ok POST /apis/authorization.k8s.io/v1/selfsubjectaccessreviews create
ok POST /apis/authorization.k8s.io/v1/selfsubjectrulesreviews create
ok POST /apis/authentication.k8s.io/v1/selfsubjectreviews?fieldManager=kubectl create
400 GET / get
403 GET /metrics get
403 GET /logs/kube-apiserver.log get
403 GET /debug/pprof/goroutine get
403 GET /.well-known/openid-configuration get
403 GET /openid/v1/jwks get
403 GET /swagger.json get
403 GET /openapi/v3/apis/resourcemanager.miloapis.com/v1alpha1/projects/web/control-plane/api/v1/secrets get
403 GET /healthz/a/b/secrets get
403 GET /version/api/v1/secrets get
403 POST /version post
403 POST /api post
403 DELETE /apis/apps delete
403 GET /api/v1/secrets list
403 HEAD /api/v1/secrets list
403 GET /api/v1/secrets?limit=1 list
403 GET /api/v1/secrets?limit=1&continue=abc list
403 GET /api/v1/secrets?fieldSelector=metadata.name%3Dhidden list
403 GET /api/v1/secrets?labelSelector=a&pretty=true&timeout=1s list
403 GET /api/v1/secrets?watch watch
403 GET /api/v1/secrets?watch=0&watch=1 list
403 GET /api/v1/secrets?includeObject=Metadata&resourceVersion=0&resourceVersionMatch=NotOlderThan list
403 GET /api/v1/secrets?watch=true watch
403 GET /api/v1/namespaces/default/secrets list
403 GET /api/v1/namespaces/default/secrets/hidden get
403 GET /api/v1/namespaces/default/secrets/hidden/status get
403 GET /api/v1/watch/secrets?timeoutSeconds=1 watch
403 GET /api/v1/watch/namespaces/default/secrets?timeoutSeconds=1 watch
403 GET /api/v1/watch/namespaces/default/secrets/hidden watch
403 GET /apis/other.example.com/v1/namespaces/default/secrets list
ok GET /apis/v1/secrets get
403 GET /apis/core/v1/secrets list
403 GET /api/v1beta1/secrets list
403 GET /api/v1/namespaces/namespaces/secrets list
403 GET /api/v1/namespaces/status/secrets list
403 GET /api/v1/namespaces/default/status/secrets get
403 GET /api/v1/namespaces/default/configmaps/plain/status/secrets get
403 POST /api/v1/namespaces/default/secrets create
403 POST /api/v1/namespaces create
403 POST /api/v1/namespaces/default/configmaps create
403 POST /api/v1/namespaces/default/configmaps?dryRun=All create
403 PUT /api/v1/namespaces/default/configmaps/plain update
403 PUT /api/v1/namespaces/default/finalize update
403 PATCH /api/v1/namespaces/default/configmaps/plain patch
403 PATCH /api/v1/namespaces/default/configmaps/plain?dryRun=All&fieldManager=x patch
403 PATCH /api/v1/namespaces/default/configmaps/new?fieldManager=x&force=true patch
403 DELETE /api/v1/namespaces/default/configmaps/plain delete
403 DELETE /api/v1/namespaces/default/configmaps/plain?dryRun=All delete
403 DELETE /api/v1/namespaces/default/configmaps deletecollection
403 DELETE /api/v1/namespaces/default delete
403 DELETE /api/v1/watch/namespaces/default/configmaps/plain watch
403 POST /api/v1/watch/namespaces/default/configmaps watch
403 POST /api/v1/namespaces/default/pods/p/eviction create
403 POST /api/v1/namespaces/default/pods/p/binding create
403 PATCH /api/v1/namespaces/default/pods/p/ephemeralcontainers patch
403 PUT /api/v1/namespaces/default/pods/p/ephemeralcontainers update
403 PATCH /api/v1/namespaces/default/pods/p/resize patch
403 POST /api/v1/namespaces/default/pods/p/log create
403 PATCH /apis/apps/v1/namespaces/default/deployments/d/scale patch
403 PUT /api/v1/namespaces/default/pods/p/status update
403 PUT /apis/certificates.k8s.io/v1/certificatesigningrequests/c/approval update
403 POST /api/v1/namespaces/default/configmaps?watch=true create
403 PUT /apis/apps/v1/namespaces/default/deployments/d/scale update
403 PATCH /apis/apps/v1/namespaces/default/deployments/d/status patch
403 GET /api/v1/namespaces/default/pods/p/exec?command=id&stdout=true get
403 POST /api/v1/namespaces/default/pods/p/exec?command=id create
403 GET /api/v1/namespaces/default/pods/p/attach get
403 POST /api/v1/namespaces/default/pods/p/portforward create
403 GET /api/v1/namespaces/default/pods/p/proxy get
403 GET /api/v1/namespaces/default/pods/p:8080/proxy/admin get
403 GET /api/v1/namespaces/default/services/https:kubernetes:443/proxy/api/v1/secrets get
403 GET /api/v1/nodes/n/proxy/configz get
403 GET /api/v1/nodes/n:10250/proxy/runningpods get
403 POST /api/v1/nodes/n/proxy/run/default/p/c create
403 GET /api/v1/namespaces/default/pods/p/log/more get
403 POST /api/v1/namespaces/default/serviceaccounts/robot/token create
403 GET /api/v1/namespaces/default/serviceaccounts/robot/token get
403 POST /apis/authentication.k8s.io/v1/tokenreviews create
403 POST /apis/authorization.k8s.io/v1/subjectaccessreviews create
403 POST /apis/authorization.k8s.io/v1/namespaces/default/localsubjectaccessreviews create
403 PUT /apis/authorization.k8s.io/v1/selfsubjectaccessreviews update
403 POST /apis/authorization.k8s.io/v1/selfsubjectaccessreviews/x create
403 POST /apis/authorization.k8s.io/v1/namespaces/default/selfsubjectaccessreviews create
403 POST /apis/evil.example.com/v1/selfsubjectaccessreviews create
403 GET /apis/resourcemanager.miloapis.com/v1alpha1/projects/web/control-plane get
403 GET /apis/resourcemanager.miloapis.com/v1alpha1/projects/web/control-plane/api/v1/secrets get
403 GET /apis/resourcemanager.miloapis.com/v1alpha1/projects/web/control-plane/version get
403 GET /apis/iam.miloapis.com/v1alpha1/users/1/control-plane/apis get
403 GET /apis/resourcemanager.miloapis.com/v1alpha1/namespaces/n/projects/web/control-plane/api get
403 GET /apis/resourcemanager.miloapis.com/v1alpha1/watch/projects/web/control-plane/api watch
403 OPTIONS /api/v1/configmaps options
403 TRACE /api/v1/configmaps trace
403 get /api/v1/configmaps get
403 LIST /api/v1/configmaps list
403 PROPFIND /api/v1/configmaps propfind
400 GET /api/v1/Secrets get
400 GET /api/v1/SECRETS/x get
400 GET /api/V1/secrets get
400 GET /API/v1/../v1/secrets get
403 GET /API/v1/secrets get
400 GET /api/v1/Watch/secrets get
400 GET /api/v1/watch get
400 GET /api/v1/watch/watch/secrets get
400 GET /api/v1/proxy/namespaces/default/services/kubernetes get
400 GET /api/v1/namespaces/default/watch/secrets get
400 GET /api/v1/namespaces/default/configmaps/../secrets get
400 GET /api/v1/namespaces/default/configmaps/plain/../../secrets/hidden get
400 GET /api/v1/namespaces/default/./secrets get
400 GET /version/../api/v1/secrets get
400 GET /api/v1/configmaps/.. get
400 GET /api/v1/namespaces/default/configmaps/%2e%2e/secrets get
400 GET /api/v1/namespaces/default/%73ecrets get
400 GET /api/v1/namespaces/default/%2573ecrets get
400 GET /api/v1%2fnamespaces/default/secrets get
400 GET /api/v1/namespaces/default/secrets%00 get
400 GET /api/v1/namespaces/default/configmaps%0d%0aX:%20y get
400 GET /api/v1\secrets get
400 GET /version\..\api\v1\secrets get
400 GET /api/v1/secrets; get
400 GET /api/v1/configmaps;x=1/secrets get
400 GET //api/v1/secrets get
400 GET /api//v1/secrets get
400 GET /api/v1/secrets/ get
400 GET /api/v1/configmaps/ get
400 GET /api/v1/configmaps// get
400 GET /api/v1/secrets#x get
400 GET /api/v1/configmaps"x get
400 GET /api/v1/configmaps<x get
400 GET /api/v1/configmaps{x} get
400 GET /api/v1/configmaps|x get
400 GET /api/v1/configmaps^x get
400 GET /api/v1/\u00e9 get
400 GET /api/v1/\uff0e\uff0e/secrets get
400 GET /api/v1/configmaps?a='b' get
400 GET /api/v1/configmaps?a;b get
400 GET /api/v1/configmaps?a"b get
400 GET /api/v1/configmaps?a#b get
400 GET /api/v1/configmaps?a\b get
400 GET /api/v1/configmaps?a<b> get
`;

/** The whole table. */
export const REQUESTS: readonly Asked[] = TABLE.trim().split("\n").map((line) => {
  const [status = "", method = "", target = "", verb] = line.split(" ");
  const refused = status === "ok" ? undefined : Number(status);
  const meant = target.replace(/\\u([0-9a-f]{4})/g, (_, code) => String.fromCharCode(parseInt(code, 16)));
  return { refused, method, target: meant, verb };
});

{{/*
What a schema of values cannot say. Each message names the value, what is wrong, and what to do.
*/}}
{{- define "bucketferry.checks" -}}
{{- include "bucketferry.checkConfig" . }}
{{- include "bucketferry.checkSecrets" . }}
{{- include "bucketferry.checkDatabase" . }}
{{- include "bucketferry.checkEmbedded" . }}
{{- include "bucketferry.checkModes" . }}
{{- include "bucketferry.checkListen" . }}
{{- end }}

{{- define "bucketferry.checkConfig" -}}
{{- if not .Values.image.repository }}
{{- fail "image.repository: say where the image is that helm/image builds; none is published" }}
{{- end }}
{{- $given := 0 }}
{{- range list .Values.config .Values.existingConfigMap .Values.existingConfigSecret }}
{{- if . }}{{ $given = add1 $given }}{{ end }}
{{- end }}
{{- if ne (int $given) 1 }}
{{- fail "config, existingConfigMap or existingConfigSecret: give the configuration in exactly one of them" }}
{{- end }}
{{- if and .Values.files (not .Values.config) }}
{{- fail "files: they are for config; put yours beside bucketferry.yaml in the existing object" }}
{{- end }}
{{- if .Values.config }}
{{- $known := list }}
{{- range (.Values.config).tasks }}
{{- $known = append $known .name }}
{{- end }}
{{- range $task, $_ := .Values.tasks }}
{{- if not (has $task $known) }}
{{- fail (printf "tasks.%s: config.tasks has no such task (it has: %s)" $task (join ", " $known)) }}
{{- end }}
{{- end }}
{{- end }}
{{- end }}

{{/* A ConfigMap is no place for a secret. */}}
{{- define "bucketferry.checkSecrets" -}}
{{- range $section := list "stores" "refresh_targets" "notify_targets" }}
{{- range $name, $what := default dict (get (default dict $.Values.config) $section) }}
{{- if kindIs "map" $what }}
{{- range $key := list "secret_access_key" "session_token" }}
{{- $value := toString (default "" (get (default dict $what.credentials) $key)) }}
{{- if and $value (not (hasPrefix "${" $value)) }}
{{- fail (printf "config.%s.%s.credentials.%s: would stand in a ConfigMap: write ${NAME} and give the Secret in secrets.env, or use file: and secrets.files" $section $name $key) }}
{{- end }}
{{- end }}
{{- end }}
{{- end }}
{{- end }}
{{- $address := toString (default "" (.Values.config).database) }}
{{- if or (regexMatch "://[^/@]*:[^$@/][^@]*@" $address) (regexMatch "[?&]password=[^$]" $address) }}
{{- fail "config.database: its password would stand in a ConfigMap: put the address into a Secret, and name that in database.existingSecret" }}
{{- end }}
{{- end }}

{{- define "bucketferry.checkDatabase" -}}
{{- $inConfig := toString (default "" (.Values.config).database) }}
{{- $embedded := .Values.database.embedded.enabled }}
{{- if and $embedded .Values.database.existingSecret }}
{{- fail "database.embedded and database.existingSecret: one of the two" }}
{{- end }}
{{- if and (not $embedded) (not .Values.database.existingSecret) .Values.config }}
{{- if or (not $inConfig) (eq $inConfig "embedded") }}
{{- fail "database.existingSecret: name a Secret with the address of a PostgreSQL (postgresql://user:password@host/db). Pods have no lasting disk for the embedded one; for a single task there is database.embedded" }}
{{- end }}
{{- end }}
{{- end }}

{{/* Its data is on one disk that one pod may mount; a second pod would wait for it for ever, or worse. */}}
{{- define "bucketferry.checkEmbedded" -}}
{{- with .Values.database.embedded }}
{{- if .enabled }}
{{- $refused := "database.embedded is for exactly one pod with a lasting disk" }}
{{- if ne (len (default dict $.Values.tasks)) 1 }}
{{- fail (printf "%s: tasks has %d; use an external PostgreSQL (database.existingSecret)" $refused (len (default dict $.Values.tasks))) }}
{{- end }}
{{- if ne $.Values.exporter.mode "sidecar" }}
{{- fail (printf "%s: exporter.mode is %s, and its Deployment would be another pod; set sidecar" $refused $.Values.exporter.mode) }}
{{- end }}
{{- if $.Values.hook.enabled }}
{{- fail (printf "%s: hook.enabled would be another pod; use an external PostgreSQL (database.existingSecret)" $refused) }}
{{- end }}
{{- if $.Values.listen.enabled }}
{{- fail (printf "%s: listen.enabled would be another pod; use an external PostgreSQL (database.existingSecret)" $refused) }}
{{- end }}
{{- if not (or .existingClaim .size) }}
{{- fail (printf "%s: give database.embedded.size or database.embedded.existingClaim" $refused) }}
{{- end }}
{{- if and .existingClaim .size }}
{{- fail "database.embedded: existingClaim or size, not both" }}
{{- end }}
{{- end }}
{{- end }}
{{- end }}

{{- define "bucketferry.checkModes" -}}
{{- if and (include "bucketferry.hasSidecar" .) (semverCompare "<1.29.0-0" .Capabilities.KubeVersion.Version) }}
{{- fail (printf "exporter.mode %s: an exporter beside the run needs Kubernetes 1.29 (sidecar containers), this is %s; set exporter.mode to deployment" .Values.exporter.mode .Capabilities.KubeVersion.Version) }}
{{- end }}
{{- if .Values.hook.enabled }}
{{- $hook := default dict (.Values.config).hook }}
{{- $asks := or .Values.hook.existingSecret $hook.token_file ($hook.tls).client_ca }}
{{- if and .Values.config (not $asks) }}
{{- fail "hook.existingSecret: name a Secret with the bearer token that Alertmanager shows; without one, or config.hook.tls.client_ca, anybody could call the hook" }}
{{- end }}
{{- if and $hook.tls (eq .Values.hook.probes "http") }}
{{- fail "hook.probes: set tcp, as config.hook.tls makes the hook speak HTTPS" }}
{{- end }}
{{- end }}
{{- with .Values.metrics }}
{{- if and .alertmanagerConfig.enabled (not (and $.Values.hook.enabled $.Values.hook.existingSecret)) }}
{{- fail "metrics.alertmanagerConfig: it leads to the hook: set hook.enabled and hook.existingSecret" }}
{{- end }}
{{- if and .serviceMonitor.enabled (not (include "bucketferry.hasDeployment" $)) }}
{{- fail "metrics.serviceMonitor: exporter.mode sidecar has no Deployment to scrape; use metrics.podMonitor" }}
{{- end }}
{{- if and .podMonitor.enabled (not (include "bucketferry.hasSidecar" $)) }}
{{- fail "metrics.podMonitor: exporter.mode deployment has no sidecar to scrape; use metrics.serviceMonitor" }}
{{- end }}
{{- end }}
{{- end }}

{{- define "bucketferry.checkListen" -}}
{{- if .Values.listen.enabled }}
{{- $listen := default dict (.Values.config).listen }}
{{- $webhooks := .Values.listen.webhooks }}
{{- if .Values.config }}
{{- $from := list }}
{{- range .Values.config.tasks }}
{{- $from = concat $from (default list (.events).from) }}
{{- end }}
{{- if not $from }}
{{- fail "listen.enabled: no task of config.tasks has events; bucketferry listen would end at once" }}
{{- end }}
{{- if and $webhooks (not (has "webhook" $from)) }}
{{- fail "listen.webhooks: set false, as no task of config.tasks has events from: [webhook], and nobody would answer the probes" }}
{{- end }}
{{- if and (has "webhook" $from) (not $webhooks) }}
{{- fail "listen.webhooks: set true, as a task of config.tasks has events from: [webhook]" }}
{{- end }}
{{- if and $webhooks (not (or .Values.listen.existingSecret $listen.token_file)) }}
{{- fail "listen.existingSecret: name a Secret with the token that whoever posts events must show" }}
{{- end }}
{{- end }}
{{- if and $webhooks $listen.tls (eq .Values.listen.probes "http") }}
{{- fail "listen.probes: set tcp, as config.listen.tls makes it speak HTTPS" }}
{{- end }}
{{- if and $webhooks .Values.networkPolicy.enabled (not .Values.networkPolicy.listenFrom) }}
{{- fail "networkPolicy.listenFrom: name who may post events" }}
{{- end }}
{{- end }}
{{- end }}

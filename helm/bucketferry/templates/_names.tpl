{{- define "bucketferry.name" -}}
{{- default .Chart.Name .Values.nameOverride | trunc 53 | trimSuffix "-" }}
{{- end }}

{{/* 53 leaves room for -exporter in the 63 characters of a Service. */}}
{{- define "bucketferry.fullname" -}}
{{- $name := default .Chart.Name .Values.nameOverride }}
{{- $full := contains $name .Release.Name | ternary .Release.Name (printf "%s-%s" .Release.Name $name) }}
{{- default $full .Values.fullnameOverride | trunc 53 | trimSuffix "-" }}
{{- end }}

{{/*
The name of a task's CronJob: at most 52 characters, as a Job's name adds 11. A longer one is cut and keeps a
hash, so that two tasks never share it. Takes {root, task}.
*/}}
{{- define "bucketferry.cronJobName" -}}
{{- $name := printf "%s-%s" (include "bucketferry.fullname" .root) .task }}
{{- if gt (len $name) 52 }}
{{- $name = printf "%s-%s" ($name | trunc 43 | trimSuffix "-") ($name | sha256sum | trunc 8) }}
{{- end }}
{{- $name }}
{{- end }}

{{- define "bucketferry.serviceAccountName" -}}
{{- $own := .Values.serviceAccount.create | ternary (include "bucketferry.fullname" .) "default" }}
{{- default $own .Values.serviceAccount.name }}
{{- end }}

{{- define "bucketferry.image" -}}
{{- $variant := .Values.database.embedded.enabled | ternary "-embedded" "" }}
{{- $tag := default (print .Chart.AppVersion $variant) .Values.image.tag }}
{{- with .Values.image.digest }}
{{- printf "%s@%s" $.Values.image.repository . }}
{{- else }}
{{- printf "%s:%s" .Values.image.repository $tag }}
{{- end }}
{{- end }}

{{/* What selectors use, and so never changes. Takes {root, component}. */}}
{{- define "bucketferry.selectorLabels" -}}
app.kubernetes.io/name: {{ include "bucketferry.name" .root }}
app.kubernetes.io/instance: {{ .root.Release.Name }}
app.kubernetes.io/component: {{ .component }}
{{- end }}

{{/* Takes {root, component}. */}}
{{- define "bucketferry.labels" -}}
{{ include "bucketferry.selectorLabels" . }}
app.kubernetes.io/version: {{ .root.Chart.AppVersion | quote }}
app.kubernetes.io/part-of: bucketferry
app.kubernetes.io/managed-by: {{ .root.Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .root.Chart.Name .root.Chart.Version | replace "+" "_" }}
{{- with .root.Values.commonLabels }}
{{ toYaml . }}
{{- end }}
{{- end }}

{{/* Of pods: without the version of the chart, which would replace them for nothing. Takes {root, component}. */}}
{{- define "bucketferry.podLabels" -}}
{{ include "bucketferry.selectorLabels" . }}
app.kubernetes.io/part-of: bucketferry
{{- with .root.Values.commonLabels }}
{{ toYaml . }}
{{- end }}
{{- with .root.Values.podLabels }}
{{ toYaml . }}
{{- end }}
{{- end }}

{{/* "90s" or "2m" as a number. Takes {value, name}. */}}
{{- define "bucketferry.seconds" -}}
{{- $unit := dict "s" 1 "m" 60 "h" 3600 "d" 86400 }}
{{- if not (regexMatch "^[0-9]+[smhd]$" (toString .value)) }}
{{- fail (printf "%s: %v is no time like 90s or 2m" .name .value) }}
{{- end }}
{{- mul (regexFind "^[0-9]+" .value) (get $unit (regexFind "[smhd]$" .value)) }}
{{- end }}

{{- define "bucketferry.hasSidecar" -}}
{{- if ne .Values.exporter.mode "deployment" }}yes{{ end }}
{{- end }}
{{- define "bucketferry.hasDeployment" -}}
{{- if ne .Values.exporter.mode "sidecar" }}yes{{ end }}
{{- end }}

{{/* Two scrapes, and 10 s until Prometheus has found the pod and reads the page; the exporter takes an hour at most. */}}
{{- define "bucketferry.lingerSeconds" -}}
{{- if kindIs "invalid" .Values.exporter.lingerSeconds }}
{{- $interval := include "bucketferry.seconds" (dict "value" .Values.metrics.scrapeInterval "name" "metrics.scrapeInterval") }}
{{- min (add (mul 2 (int $interval)) 10) 3600 }}
{{- else }}
{{- .Values.exporter.lingerSeconds }}
{{- end }}
{{- end }}

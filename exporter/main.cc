#include "exporter/app.h"

int main(int argc, char** argv) { return ferry::exporter::RunExporter(argc, argv); }

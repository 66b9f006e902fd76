#include "exporter/app.h"

int main(int argc, char** argv) { return ferry::RunExporter(argc, argv); }

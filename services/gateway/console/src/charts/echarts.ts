/** The parts of the chart library that the charts here are made of; nothing else of it is loaded. */

import { BarChart, LineChart } from "echarts/charts";
import { GridComponent, TooltipComponent } from "echarts/components";
import * as core from "echarts/core";
import { CanvasRenderer } from "echarts/renderers";

core.use([BarChart, LineChart, GridComponent, TooltipComponent, CanvasRenderer]);

export const { init } = core;

// A chart that lets the page be painted first: the library comes when the figures are there.
import { convertDynamicProperties } from "../../static/utils/dynamic_properties.js";

export default {
  template: "<div></div>",
  props: { options: Object },
  async mounted() {
    const { echarts } = await import("nicegui-echart");
    if (!this.$el.isConnected) return;
    this.chart = echarts.init(this.$el, null, { renderer: "svg" });
    convertDynamicProperties(this.options, true);
    this.chart.setOption(this.options);
    this.observer = new ResizeObserver(() => this.chart.resize());
    this.observer.observe(this.$el);
  },
  unmounted() {
    this.observer?.disconnect();
    this.chart?.dispose();
  },
};
